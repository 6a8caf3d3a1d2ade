import { type Address } from '../broker/message.ts';
import { type HistoryBounds } from '../broker/log.ts';
import { type ChannelAccess } from '../channels/access.ts';
import { type Channel } from '../channels/channel.ts';
import { SignalboxError } from '../errors.ts';
import { type Caller } from '../tokens/caller.ts';

/** The addresses of the direct messages to this caller: its token and, if it has one, its identity. Empty without a token. */
export function directAddressesOf(caller: Caller): Address[] {
  if (caller.kind !== 'TOKEN') return [];
  const { id, identity } = caller.token;
  return identity === null ? [`token:${id}`] : [`token:${id}`, `identity:${identity}`];
}

/**
 * The sequence number through which the messages of a channel are hidden from the caller: those of a deleted channel with
 * the same id and, in a PRIVATE channel, those from before the membership of the token began.
 */
export function hiddenThrough(caller: Caller, { channel, membership }: ChannelAccess): number {
  const beforeMembership =
    caller.kind === 'TOKEN' && channel.type === 'PRIVATE' ? (membership?.beganAfter ?? 0) : 0;
  return Math.max(channel.createdAfter, beforeMembership);
}

/**
 * The bounds of the history policy of a channel at the moment `now`; undefined without a policy of its own. Readers apply
 * them at once, because the purge removes messages only every `purgeIntervalMs`.
 */
export function historyBounds(
  { historyMessages, historySeconds }: Channel,
  now: number,
): HistoryBounds | undefined {
  if (historyMessages === null && historySeconds === null) return undefined;
  return {
    keep: historyMessages ?? undefined,
    since: historySeconds === null ? undefined : now - historySeconds * 1000,
  };
}

/** @param isFiltered whether the reader requested some event names only. The log does not keep the names of removed messages. */
export function positionLost({ isFiltered = false } = {}): SignalboxError {
  return new SignalboxError(
    'POSITION_LOST',
    isFiltered
      ? 'Messages after this cursor were removed, and the log does not keep their names: some of the requested events may be among them.'
      : 'The log no longer holds all messages after this cursor.',
  );
}

/** The error for a caller without a token, who has no direct messages. */
export function directMessagesRefused({ kind }: Caller): SignalboxError {
  const sent = kind === 'ANONYMOUS' ? 'No credential was sent. ' : '';
  return new SignalboxError('UNAUTHENTICATED', `${sent}Direct messages require a token.`);
}
