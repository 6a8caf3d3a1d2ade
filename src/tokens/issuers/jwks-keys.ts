import { createRemoteJWKSet, type CryptoKey, customFetch, errors } from 'jose';
import { type Clock } from '../../clock.ts';
import { SignalboxError } from '../../errors.ts';
import { fetchKeySet, parseKeySetUrl } from './jwks-fetch.ts';
import { invalidSignature } from './jwt.ts';
import { refused } from '../credential-errors.ts';

/** Age at which a key set is fetched again. */
export const MAX_AGE_SECONDS = 600;
/** Age up to which a key set is used while it cannot be fetched again. */
export const MAX_STALE_SECONDS = 86_400;
/** Minimum interval between two fetches for keys that are not in the set. jose measures it by the system clock. */
export const COOLDOWN_SECONDS = 30;
/** Pause after a fetch that failed. */
export const FAILURE_PAUSE_SECONDS = 5;

export interface KeySetOptions {
  clock: Clock;
  /** Time limit of one fetch, in milliseconds. */
  timeoutMs: number;
  /** Whether the key set may be fetched from a private or loopback address. */
  allowsPrivateAddress: boolean;
  /** Called after every fetch that fails, for the log. */
  onFetchFailed: (url: string, error: unknown) => void;
}

export interface KeySet {
  /**
   * The key that the header of a credential names. Without `kid`, exactly one key of the set must match `alg`.
   * @throws UNAUTHENTICATED when no key or several keys match, UNAVAILABLE when the key set cannot be fetched, or lacks
   * the key but was fetched so recently that the provider may have added the key since
   */
  find(header: { alg: string; kid: string | undefined }): Promise<CryptoKey>;
}

/**
 * The JSON Web Key Set of one provider. It is fetched at first use, when it is 10 minutes old, and when a credential names
 * a key that is not in the set: at most twice in 30 seconds. During an outage of the provider the last set is used for 24 hours, and only credentials
 * with an unknown key wait for a fetch.
 *
 * @throws TypeError when the URL is not `https:`
 */
export function createKeySet(
  url: string,
  { clock, timeoutMs, allowsPrivateAddress, onFetchFailed }: KeySetOptions,
): KeySet {
  // Elapsed time: a system clock that is set back would prolong every pause and the life of the keys.
  let fetchedAt: number | null = null;
  let failedAt: number | null = null;
  let fetches = 0;
  let refetchedAt: number | null = null;
  const isWithin = (seconds: number, since: number | null) =>
    since !== null && clock.monotonic() < since + seconds * 1000;

  const keys = createRemoteJWKSet(parseKeySetUrl(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: COOLDOWN_SECONDS * 1000,
    // The age is checked below by the injected clock; jose would use the system clock.
    cacheMaxAge: Infinity,
    async [customFetch](address, { signal }) {
      // jose cools down after a successful fetch only, so during an outage every unknown key would cause a fetch.
      if (isWithin(FAILURE_PAUSE_SECONDS, failedAt)) throw new Error('The last fetch failed just now.');
      try {
        const set = await fetchKeySet(new URL(address), signal, allowsPrivateAddress);
        fetchedAt = clock.monotonic();
        failedAt = null;
        fetches++;
        return Response.json(set);
      } catch (error) {
        failedAt = clock.monotonic();
        onFetchFailed(url, error);
        throw error;
      }
    },
  });

  const refresh = async () => {
    if (isWithin(MAX_AGE_SECONDS, fetchedAt)) return;
    const isUsable = isWithin(MAX_STALE_SECONDS, fetchedAt);
    const isFailing = failedAt !== null;
    const reloaded = keys.reload().catch((error: unknown) => {
      if (!isUsable) throw error;
    });
    if (!(isUsable && isFailing)) await reloaded;
  };

  /**
   * A provider that rotates its keys may sign with the new key at once, while the set from before is cooling down. One
   * early fetch for each interval finds the key; credentials that come after it have to be presented again.
   */
  async function findNewKey(select: () => Promise<CryptoKey>): Promise<CryptoKey> {
    if (isWithin(COOLDOWN_SECONDS, refetchedAt)) throw keyNotFetchedYet(clock.monotonic() - (fetchedAt ?? 0));
    refetchedAt = clock.monotonic();
    await keys.reload();
    return select();
  }

  return {
    async find({ alg, kid }) {
      const select = () => keys({ alg, ...(kid !== undefined && { kid }) });
      const fetchesBefore = fetches;
      try {
        await refresh();
        return await select().catch((error: unknown) => {
          const isStale = kid !== undefined && fetches === fetchesBefore;
          if (error instanceof errors.JWKSNoMatchingKey && isStale) return findNewKey(select);
          throw error;
        });
      } catch (error) {
        if (error instanceof SignalboxError) throw error;
        if (error instanceof errors.JWKSNoMatchingKey) throw invalidSignature();
        if (error instanceof errors.JWKSMultipleMatchingKeys)
          throw refused('it does not say which key signed it; set “kid” in its header to the id of one key');
        throw unavailable();
      }
    },
  };
}

/** @param ageMs The age of the key set, in milliseconds. */
function keyNotFetchedYet(ageMs: number): SignalboxError {
  const seconds = Math.max(1, Math.ceil(COOLDOWN_SECONDS - ageMs / 1000));
  return new SignalboxError(
    'UNAVAILABLE',
    `The credential names a key that its issuer had not published when its keys were last fetched. Try again in ${seconds} seconds.`,
    { retryAfterSeconds: seconds },
  );
}

function unavailable(): SignalboxError {
  return new SignalboxError(
    'UNAVAILABLE',
    `The keys of the credential’s issuer cannot be fetched at the moment. Try again in ${FAILURE_PAUSE_SECONDS} seconds.`,
    { retryAfterSeconds: FAILURE_PAUSE_SECONDS },
  );
}
