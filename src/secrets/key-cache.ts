import { createSecretKey, type KeyObject } from 'node:crypto';
import { type Vault } from './vault.ts';

const MAX_CACHED_KEYS = 1_000;

/** The key that was sealed, of what it is the secret of. */
export type UnsealKey = (sealed: string, of: string) => Promise<KeyObject>;

/** Opens sealed keys, and remembers those that were wanted lately: whoever presents a credential wants one. */
export function createKeyCache(vault: Vault): UnsealKey {
  const opened = new Map<string, KeyObject>();
  return async (sealed, of) => {
    const name = `${of}\n${sealed}`;
    const known = opened.get(name);
    if (known) return known;
    const key = createSecretKey(await vault.open(sealed, of));
    opened.set(name, key);
    const [oldest] = opened.keys();
    if (opened.size > MAX_CACHED_KEYS && oldest !== undefined) opened.delete(oldest);
    return key;
  };
}
