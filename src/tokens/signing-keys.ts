import { createSecretKey, webcrypto, type KeyObject } from 'node:crypto';
import { type Clock } from '../clock.ts';
import { badInput } from '../errors.ts';
import { type NewId, type RandomBytes } from '../ids.ts';
import { type Vault } from '../secrets/vault.ts';
import { type Store } from '../store/store.ts';
import { type Announce } from '../store/write.ts';
import { createSigningKeyStore, type SigningKeyRow } from './signing-key-store.ts';

/** A key that signs credentials. The key determines the algorithm; the header of a JWT never does. */
export interface SigningKey {
  id: string;
  algorithm: 'HS256';
  /** For jose, which would import a raw secret again for every signature. */
  signingKey: webcrypto.CryptoKey;
  verificationKey: KeyObject;
  /** When the key stops verifying, in milliseconds since 1970; null: the key was not rotated out. */
  expiresAt: number | null;
}

/** How long a rotated key may keep verifying: at most one year. */
export const MAX_SIGNING_OVERLAP_SECONDS = 366 * 86_400;

/** Time between two searches for an unknown key, in milliseconds. */
const LOOK_INTERVAL_MS = 1000;

/** The keys that sign the credentials of all projects. */
export interface SigningKeys {
  /** The key that signs. Creates the first key of the installation. */
  current(): Promise<SigningKey>;
  /** A key that still verifies; undefined: no such key, or the key has expired. */
  find(id: string): Promise<SigningKey | undefined>;
  /**
   * Creates a new key that signs from now on. Older keys verify for `overlapSeconds` more, and no longer.
   * @param overlapSeconds 0 to one year; 0: the older keys stop verifying at once
   * @throws BAD_USER_INPUT when `overlapSeconds` is out of range
   */
  rotate(overlapSeconds: number): Promise<void>;
  /** Drops the cached keys, because a node has replaced them. */
  invalidateAll(): void;
}

export function createSigningKeys(deps: {
  store: Store;
  clock: Clock;
  newId: NewId;
  randomBytes: RandomBytes;
  vault: Vault;
  announce: Announce<{ kind: 'SIGNING_KEYS_ROTATED'; projectId: null }>;
}): SigningKeys {
  const { store, clock, newId, randomBytes, vault, announce } = deps;
  const keyStore = createSigningKeyStore(store);
  let keyRing: Promise<KeyRing> | undefined;

  /**
   * Caches the promise rather than its result, so that concurrent callers wait for one read. A failure is not
   * cached.
   */
  function cache(reading: Promise<KeyRing>): Promise<KeyRing> {
    keyRing = reading;
    reading.catch(() => {
      if (keyRing === reading) keyRing = undefined;
    });
    return reading;
  }

  const load = () => keyRing ?? cache(read());

  async function read(): Promise<KeyRing> {
    const keys = new Map<string, SigningKey>();
    let current: SigningKey | undefined;
    for (const row of await keyStore.list()) {
      const key = await toKey(row, await vault.open(row.secret, row.id));
      keys.set(row.id, key);
      if (row.retiredAt === null) current = key;
    }
    current ??= await createKey();
    return { keys: keys.set(current.id, current), current };
  }

  async function generate(): Promise<{ row: SigningKeyRow; secret: Uint8Array }> {
    const id = newId('sign');
    const secret = randomBytes(32);
    const sealed = await vault.seal(secret, id);
    const createdAt = clock.now();
    return {
      row: { id, algorithm: 'HS256', secret: sealed, createdAt, retiredAt: null, expiresAt: null },
      secret,
    };
  }

  async function createKey(): Promise<SigningKey> {
    const { row, secret } = await generate();
    const { result: first } = await announce(keyStore.insertFirst(row), () => undefined);
    return toKey(first, first.id === row.id ? secret : await vault.open(first.secret, first.id));
  }

  /** When an unknown key was last looked for, on the monotonic clock: ids are free to invent. */
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** A key that another node created at its first start is not in the cache. */
  async function findKey(id: string): Promise<SigningKey | undefined> {
    const known = (await load()).keys.get(id);
    if (known || clock.monotonic() < lookedAt + LOOK_INTERVAL_MS) return known;
    lookedAt = clock.monotonic();
    return (await cache(read())).keys.get(id);
  }

  return {
    async current() {
      return (await load()).current;
    },
    async find(id) {
      const key = await findKey(id);
      return key && (key.expiresAt === null || clock.now() < key.expiresAt) ? key : undefined;
    },
    async rotate(overlapSeconds) {
      if (overlapSeconds < 0 || overlapSeconds > MAX_SIGNING_OVERLAP_SECONDS) {
        throw badInput(
          'overlapSeconds',
          `is ${overlapSeconds}; it must be 0–${MAX_SIGNING_OVERLAP_SECONDS}.`,
        );
      }
      const { row } = await generate();
      const now = clock.now();
      await announce(keyStore.replacement(row, now, now + overlapSeconds * 1000), () => ({
        kind: 'SIGNING_KEYS_ROTATED',
        projectId: null,
      }));
      await load();
    },
    invalidateAll() {
      keyRing = undefined;
    },
  };
}

interface KeyRing {
  /** All keys by id, expired ones included. */
  keys: Map<string, SigningKey>;
  /** The key that signs. */
  current: SigningKey;
}

async function toKey({ id, expiresAt }: SigningKeyRow, secret: Uint8Array): Promise<SigningKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const signingKey = await webcrypto.subtle.importKey('raw', secret, algorithm, false, ['sign']);
  return { id, algorithm: 'HS256', signingKey, verificationKey: createSecretKey(secret), expiresAt };
}
