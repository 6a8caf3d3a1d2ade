import { createRemoteJWKSet, type CryptoKey, customFetch, errors } from 'jose';
import { type Clock } from '../../clock.ts';
import { SignalboxError } from '../../errors.ts';
import { fetchKeySet, parseKeySetUrl } from './jwks-fetch.ts';
import { unsigned } from './jwt.ts';
import { refused } from '../credential-errors.ts';

/** How old the keys may be before they are fetched anew. */
export const FRESH_SECONDS = 600;
/** How old they may be when they cannot be fetched anew. */
export const MAX_STALE_SECONDS = 86_400;
/** Between two fetches for the sake of keys that are not in the set. Measured by jose, on the system's own clock. */
export const COOLDOWN_SECONDS = 30;
/** After a fetch that failed, until the next. */
export const FAILURE_PAUSE_SECONDS = 5;

export interface FetchOptions {
  clock: Clock;
  timeoutMs: number;
  /** Told of every fetch that fails, for the log. */
  onFetchFailed: (url: string, error: unknown) => void;
}

export interface KeySet {
  /** @throws UNAUTHENTICATED when the provider has no such key, UNAVAILABLE when that cannot be found out. */
  find(header: { alg: string; kid: string | undefined }): Promise<CryptoKey>;
}

/**
 * The keys of one provider, fetched when they are wanted. Through an outage those serve that were fetched last, for a
 * day; meanwhile nobody waits for them but whoever was signed with a key that is not among them.
 * @throws TypeError when the address is not `https:`.
 */
export function createKeySet(url: string, { clock, timeoutMs, onFetchFailed }: FetchOptions): KeySet {
  let fetchedAt: number | null = null;
  let failedAt: number | null = null;
  const isWithin = (seconds: number, since: number | null) =>
    since !== null && clock.now() < since + seconds * 1000;

  const keys = createRemoteJWKSet(parseKeySetUrl(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: COOLDOWN_SECONDS * 1000,
    // Their age is judged here, by the clock that was handed in.
    cacheMaxAge: Infinity,
    async [customFetch](address, { signal }) {
      // jose cools down after a success only, so an unknown key would have it fetch at every turn of an outage.
      if (isWithin(FAILURE_PAUSE_SECONDS, failedAt)) throw new Error('The last fetch failed just now.');
      try {
        const set = await fetchKeySet(new URL(address), signal);
        fetchedAt = clock.now();
        failedAt = null;
        return Response.json(set);
      } catch (error) {
        failedAt = clock.now();
        onFetchFailed(url, error);
        throw error;
      }
    },
  });

  const refresh = async () => {
    if (isWithin(FRESH_SECONDS, fetchedAt)) return;
    const isUsable = isWithin(MAX_STALE_SECONDS, fetchedAt);
    const isFailing = failedAt !== null;
    const reloaded = keys.reload().catch((error: unknown) => {
      if (!isUsable) throw error;
    });
    if (!(isUsable && isFailing)) await reloaded;
  };

  return {
    async find(header) {
      try {
        await refresh();
        return await keys({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) });
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) throw unsigned();
        if (error instanceof errors.JWKSMultipleMatchingKeys)
          throw refused('it does not say which key signed it');
        throw unavailable();
      }
    },
  };
}

function unavailable(): SignalboxError {
  return new SignalboxError(
    'UNAVAILABLE',
    'The keys of the credential’s issuer cannot be had at the moment; try again.',
    { retryAfterSeconds: FAILURE_PAUSE_SECONDS },
  );
}
