import { notFound, SignalboxError } from '../errors.ts';
import { decide, SCOPE_OF, type Decision, type AccessTarget } from '../tokens/authorization.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type ApiKeyScope } from '../projects/api-key.ts';
import { type Action } from '../projects/permissions.ts';
import { type Channel, type Membership } from './channel.ts';

/** A channel and the calling token's membership of it: the rows that an access decision is based on. */
export interface ChannelAccess {
  channel: Channel;
  /** Undefined when the token has no membership, and for API keys and anonymous callers. */
  membership: Membership | undefined;
}

/** Decides what a caller may do in a channel, based on the current rows. */
export interface Access {
  /**
   * Returns the channel if the caller may take `action` in it. A channel that the caller may not access and a channel
   * that does not exist yield the same error, so that ids cannot be probed.
   * @param scope the scope that an API key needs; by default the scope of the action
   * @throws NOT_FOUND when the channel does not exist and the caller is an API key
   * @throws UNAUTHENTICATED when an anonymous caller may not take the action
   * @throws FORBIDDEN when a token may not take the action, or an API key lacks the scope
   */
  require(caller: Caller, action: Action, channelId: string, scope?: ApiKeyScope): Promise<ChannelAccess>;
  /** Returns the channel and the caller's membership without a decision; undefined when the channel does not exist. */
  lookup(caller: Caller, channelId: string): Promise<ChannelAccess | undefined>;
  /**
   * The error of an action in a channel that was deleted after `require` returned it: that of `require` for a channel that does not
   * exist.
   */
  lost(caller: Caller, action: Action, channelId: string): SignalboxError;
}

export function createAccess(deps: {
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  findMembership: (projectId: string, channelId: string, tokenId: string) => Promise<Membership | undefined>;
  /** Drops the cached row, because another node has deleted the channel. */
  invalidateChannel: (projectId: string, id: string) => void;
}): Access {
  const { findChannel, findMembership, invalidateChannel } = deps;

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
    lost(caller, action, channelId) {
      invalidateChannel(caller.projectId, channelId);
      return caller.kind === 'API_KEY'
        ? notFound('channel', channelId)
        : accessRefused(caller, action, channelId, undefined);
    },
    async require(caller, action, channelId, scope = SCOPE_OF[action]) {
      if (caller.kind === 'API_KEY') {
        requireApiKey(caller, scope, channelId);
        const channelAccess = await lookup(caller, channelId);
        if (!channelAccess) throw notFound('channel', channelId);
        return channelAccess;
      }
      const channelAccess = await lookup(caller, channelId);
      if (!channelAccess || !decideAccess(caller, action, channelAccess).allowed)
        throw accessRefused(caller, action, channelId, channelAccess);
      return channelAccess;
    },
  };
}

/** The fields of a channel that `decide` reads. */
export function targetOf({ channel: { id, type, kind }, membership }: ChannelAccess): AccessTarget {
  return { id, type, kind, isMember: membership !== undefined };
}

/** Calls `decide` for a channel and the caller's membership of it. */
export function decideAccess(caller: Caller, action: Action, channelAccess: ChannelAccess): Decision {
  return decide(caller, action, targetOf(channelAccess));
}

/**
 * The error for a refused action: UNAUTHENTICATED for an anonymous caller, FORBIDDEN for a token.
 * @param channelAccess undefined if the channel does not exist, which only the audit log shows
 */
export function accessRefused(
  caller: Caller,
  action: Action,
  channelId: string,
  channelAccess: ChannelAccess | undefined,
): SignalboxError {
  const rule = channelAccess && decideAccess(caller, action, channelAccess).rule;
  const channel = channelAccess?.channel.id;
  const reason = rule === 'ALLOWED' ? 'NOT_ALLOWED' : (rule ?? 'NOT_FOUND');
  if (caller.kind === 'ANONYMOUS')
    return new SignalboxError(
      'UNAUTHENTICATED',
      `No credential was sent, and anonymous callers may not ${action} in the channel “${channelId}”, if it exists.`,
      { reason, channel },
    );
  return new SignalboxError(
    'FORBIDDEN',
    `The channel “${channelId}” does not exist, or this caller may not ${action} in it.`,
    { reason, channel },
  );
}

/** The channel as the caller may read it: a caller that may change it but not SUBSCRIBE does not see the state. */
export function asReadBy(caller: Caller, channelAccess: ChannelAccess): Channel {
  const { channel } = channelAccess;
  return decideAccess(caller, 'SUBSCRIBE', channelAccess).allowed ? channel : { ...channel, state: null };
}
