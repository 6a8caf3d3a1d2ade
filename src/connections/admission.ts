import { type Signal } from '../broker/signal.ts';
import { mayDo, refusal, type Access, type Encounter } from '../channels/access.ts';
import { notFound, type SignalboxError } from '../errors.ts';
import { type Action } from '../projects/permissions.ts';
import { type Connection } from './connection.ts';
import { type Watch } from './watch.ts';

/** Why a connection may no longer take an action in a channel. */
export type EndReason = 'UNSUBSCRIBED' | 'NOT_ALLOWED' | 'DELETED';

/** That a connection may take an action in a channel, kept true: it ends the moment it no longer does. */
export interface Admission extends Disposable {
  /** The channel and membership as they are now. */
  readonly encounter: Encounter;
  judge(): void;
}

/**
 * Admits `connection` to a channel for as long as it may take `action` there.
 * `ended` is called at most once, with why. `changed` is called when the state of the channel did.
 * @throws as `Access.require`
 */
export async function admit(
  { watch, access }: { watch: Watch; access: Access },
  connection: Connection,
  action: Action,
  channelId: string,
  {
    ended,
    changed,
  }: {
    ended: (error: SignalboxError, reason: EndReason) => void;
    changed?: (encounter: Encounter) => void;
  },
): Promise<Admission> {
  const { projectId, caller } = connection;
  let encounter: Encounter | undefined;
  const early: Signal[] = [];
  // It listens before it reads: what is signalled while the rows are read is applied after them.
  const see = (signal: Signal) => {
    connection.review();
    if (encounter) follow(encounter, signal);
    else early.push(signal);
  };
  const watching = [watch.on('channel', projectId, channelId, see)];
  if (caller.kind === 'TOKEN') watching.push(watch.on('memberships', projectId, caller.token.id, see));
  const stop = () => watching.forEach((watched) => watched[Symbol.dispose]());

  function follow(before: Encounter, signal: Signal): void {
    switch (signal.kind) {
      case 'CHANNEL_UPDATED':
        return admitOrEnd({ ...before, channel: signal.channel }, 'NOT_ALLOWED');
      case 'CHANNEL_STATE_UPDATED':
        encounter = { ...before, channel: signal.channel };
        return changed?.(encounter);
      case 'CHANNEL_DELETED':
        return ended(notFound('channel', channelId), 'DELETED');
      case 'MEMBERSHIP_BEGAN':
        if (signal.membership.channelId === channelId)
          encounter = { ...before, membership: signal.membership };
        return;
      case 'MEMBERSHIP_ENDED':
        if (signal.channelId === channelId) admitOrEnd({ ...before, membership: undefined }, 'UNSUBSCRIBED');
        return;
      default:
    }
  }

  function admitOrEnd(now: Encounter, reason: EndReason): void {
    encounter = now;
    if (!mayDo(connection.caller, action, now).allowed)
      ended(refusal(connection.caller, action, channelId), reason);
  }

  try {
    const first = await access.require(caller, action, channelId);
    encounter = first;
    early.forEach(see);
    if (!mayDo(connection.caller, action, first).allowed) throw refusal(connection.caller, action, channelId);
    return {
      get encounter() {
        return encounter ?? first;
      },
      judge: () => admitOrEnd(encounter ?? first, 'NOT_ALLOWED'),
      [Symbol.dispose]: stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}
