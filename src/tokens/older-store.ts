import { type Clock } from '../clock.ts';
import { type SignalboxError, unavailable } from '../errors.ts';
import { timeOfId } from '../ids.ts';

/** How long after its creation a store may be the wrong one, in milliseconds: 24 hours, until an operator has noticed. */
const MAY_BE_WRONG_MS = 24 * 60 * 60 * 1000;

/**
 * Recognizes keys of an older store. A service whose data folder or database is not mounted starts with a new, empty store,
 * and clients must come back once the right one is there. An id contains the time of its creation, so a key that is older than
 * the store belongs to another store.
 *
 * @returns the error to throw for a credential whose key is unknown, if the key is older than a store of less than 24 hours;
 * otherwise undefined
 */
export type OlderStoreError = (keyId: string) => SignalboxError | undefined;

/** @param createdAt when the store was created, in milliseconds since 1970 */
export function createOlderStoreError(createdAt: number, clock: Clock): OlderStoreError {
  return (keyId) => {
    if (clock.now() - createdAt > MAY_BE_WRONG_MS) return undefined;
    const keyCreatedAt = timeOfId(keyId);
    return keyCreatedAt !== undefined && keyCreatedAt < createdAt
      ? unavailable(
          'The key of the credential is older than the store of this service. Its data may be missing; try again later.',
        )
      : undefined;
  };
}
