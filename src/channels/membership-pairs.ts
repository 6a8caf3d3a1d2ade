import { limitExceeded, SignalboxError } from '../errors.ts';
import { outcomeErrorOf, type OutcomeError } from '../outcome-error.ts';
import { Slices } from '../slices.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type Membership } from './channel.ts';

/** The result for one pair of channel and token in a bulk call. */
export interface Outcome {
  channelId: string;
  tokenId: string;
  /** The membership that exists after subscribing, or that was ended; null on an error, or when there was none to end. */
  membership: Membership | null;
  error: OutcomeError | null;
}

/** The maximum number of pairs of channel and token in a bulk call. */
export const MAX_PAIRS = 1000;

/**
 * Calls `act` for every pair of channel and token. A pair that fails is reported in its outcome.
 * @param onFault receives the first failure of the service itself, which no error of the call reports; the next ones are alike
 * @throws LIMIT_EXCEEDED for more than MAX_PAIRS pairs
 * @throws UNAUTHENTICATED, FORBIDDEN unless the caller is an API key with the scope CHANNELS in all of the channels
 */
export async function forEachPair(
  caller: Caller,
  channelIds: readonly string[],
  tokenIds: readonly string[],
  act: (caller: Caller, channelId: string, tokenId: string) => Promise<Membership | undefined>,
  onFault: (error: unknown) => void,
): Promise<Outcome[]> {
  // Without a channel the caller must be authorized, too.
  requireApiKey(caller, 'CHANNELS', channelIds[0]);
  for (const channelId of channelIds) requireApiKey(caller, 'CHANNELS', channelId);
  const pairs = channelIds.flatMap((channelId) => tokenIds.map((tokenId) => ({ channelId, tokenId })));
  if (pairs.length > MAX_PAIRS)
    throw limitExceeded(
      MAX_PAIRS,
      `A call may name at most ${MAX_PAIRS} pairs of channel and token; this call names ${pairs.length}.`,
    );
  const outcomes: Outcome[] = [];
  let fault: unknown;
  const slices = new Slices();
  for (const { channelId, tokenId } of pairs) {
    try {
      const membership = (await act(caller, channelId, tokenId)) ?? null;
      outcomes.push({ channelId, tokenId, membership, error: null });
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      fault ??= error.cause;
      outcomes.push({ channelId, tokenId, membership: null, error: outcomeErrorOf(error) });
    }
    if (slices.shouldYield()) await slices.nextTurn();
  }
  if (fault !== undefined) onFault(fault);
  return outcomes;
}
