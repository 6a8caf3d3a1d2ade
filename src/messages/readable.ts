import { type Address } from '../broker/message.ts';
import { type ChannelAccess } from '../channels/access.ts';
import { SignalboxError } from '../errors.ts';
import { type Caller } from '../tokens/caller.ts';

/** Where direct messages for this caller wait in the log. */
export function directAddresses(caller: Caller): Address[] {
  if (caller.kind !== 'TOKEN') return [];
  const { id, identity } = caller.token;
  return identity === null ? [`token:${id}`] : [`token:${id}`, `identity:${identity}`];
}

/** What came up to here is not the caller's to read: it was said in an earlier channel of this name, or before it was let in. */
export function floorOf(caller: Caller, { channel, membership }: ChannelAccess): number {
  const letInAfter =
    caller.kind === 'TOKEN' && channel.type === 'PRIVATE' ? (membership?.beganAfter ?? 0) : 0;
  return Math.max(channel.createdAfter, letInAfter);
}

export function positionLostError(): SignalboxError {
  return new SignalboxError('POSITION_LOST', 'The log no longer holds everything since this cursor.');
}
