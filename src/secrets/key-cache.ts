import { createSecretKey, type KeyObject } from 'node:crypto';
import { type Vault } from './vault.ts';

const MAX_CACHED_KEYS = 1_000;

/** Resolves to the key that was sealed for `owner`. @throws TypeError when the vault cannot open it */
export type UnsealKey = (sealed: string, owner: string) => Promise<KeyObject>;

/**
 * Opens sealed keys and caches them, because every credential that is presented needs one. Evicts the oldest
 * first.
 * @param toKey makes the key from the bytes that were sealed; a secret key by default
 */
export function createKeyCache(
  vault: Vault,
  toKey: (secret: Uint8Array) => KeyObject = createSecretKey,
): UnsealKey {
  const unsealed = new Map<string, KeyObject>();
  return async (sealed, owner) => {
    const cacheKey = `${owner}\n${sealed}`;
    const cached = unsealed.get(cacheKey);
    if (cached) return cached;
    const key = toKey(await vault.open(sealed, owner));
    unsealed.set(cacheKey, key);
    const [oldest] = unsealed.keys();
    if (unsealed.size > MAX_CACHED_KEYS && oldest !== undefined) unsealed.delete(oldest);
    return key;
  };
}
