import { notFound, SignalboxError } from '../errors.ts';
import { decide, type Decision, type AccessTarget } from '../tokens/authorisation.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Action } from '../projects/permissions.ts';
import { type Channel, type Membership } from './channel.ts';

/** A channel as a caller meets it. */
export interface ChannelAccess {
  channel: Channel;
  membership: Membership | undefined;
}

/** Whether a caller may do something in a channel, from the rows as they are now. */
export interface Access {
  /**
   * The channel, if the caller may take `action` in it.
   * @throws NOT_FOUND to API keys; UNAUTHENTICATED to anonymous callers and FORBIDDEN to tokens, in the same
   * words whether the channel is closed to them or does not exist.
   */
  require(caller: Caller, action: Action, channelId: string): Promise<ChannelAccess>;
  /** The channel and the caller's membership, without a decision. */
  lookup(caller: Caller, channelId: string): Promise<ChannelAccess | undefined>;
}

export function createAccess(parts: {
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  findMembership: (projectId: string, channelId: string, tokenId: string) => Promise<Membership | undefined>;
}): Access {
  const { findChannel, findMembership } = parts;

  async function lookup(caller: Caller, channelId: string): Promise<ChannelAccess | undefined> {
    const channel = await findChannel(caller.projectId, channelId);
    if (!channel) return undefined;
    const membership =
      caller.kind === 'TOKEN'
        ? await findMembership(caller.projectId, channelId, caller.token.id)
        : undefined;
    return { channel, membership };
  }

  return {
    lookup,
    async require(caller, action, channelId) {
      const encounter = await lookup(caller, channelId);
      if (caller.kind === 'API_KEY' && !encounter) throw notFound('channel', channelId);
      if (!encounter || !mayDo(caller, action, encounter).allowed) throw refusal(caller, action, channelId);
      return encounter;
    },
  };
}

/** What decides of an encounter. */
export function targetOf({ channel: { id, type, kind }, membership }: ChannelAccess): AccessTarget {
  return { id, type, kind, isMember: membership !== undefined };
}

export function mayDo(caller: Caller, action: Action, encounter: ChannelAccess): Decision {
  return decide(caller, action, targetOf(encounter));
}

export function refusal(caller: Caller, action: Action, channelId: string): SignalboxError {
  const who = caller.kind === 'ANONYMOUS' ? 'a caller without a token' : 'this caller';
  return new SignalboxError(
    caller.kind === 'ANONYMOUS' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
    `There is no channel “${channelId}” in which ${who} may ${action}.`,
  );
}
