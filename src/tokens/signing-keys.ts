import { createSecretKey, webcrypto, type KeyObject } from 'node:crypto';
import { type Clock } from '../clock.ts';
import { badInput } from '../errors.ts';
import { type NewId, type RandomBytes } from '../ids.ts';
import { type Vault } from '../secrets/vault.ts';
import { type Store } from '../store/store.ts';
import { createSigningKeyStore, type SigningKeyRow } from './signing-key-store.ts';

/** A key that signs credentials. The algorithm belongs to the key; what a header claims is never asked. */
export interface SigningKey {
  id: string;
  algorithm: 'HS256';
  /** For jose, which would import the secret again for every signature. */
  signs: webcrypto.CryptoKey;
  verifies: KeyObject;
  /** Null: it verifies until it is rotated out. */
  expiresAt: number | null;
}

/** One year: how long a rotated key may go on verifying. */
export const MAX_SIGNING_OVERLAP_SECONDS = 366 * 86_400;

export interface SigningKeys {
  /** The key that signs now; made when there is none. */
  current(): Promise<SigningKey>;
  /** A key that still verifies, by its id, which is an opaque name and nothing else. */
  find(id: string): Promise<SigningKey | undefined>;
  /** Makes a new key that signs from now on; those before it verify for `overlapSeconds` more. */
  rotate(overlapSeconds: number): Promise<void>;
}

export function createSigningKeys(parts: {
  store: Store;
  clock: Clock;
  newId: NewId;
  randomBytes: RandomBytes;
  vault: Vault;
}): SigningKeys {
  const { store, clock, newId, randomBytes, vault } = parts;
  const rows = createSigningKeyStore(store);
  let ring: Promise<Ring> | undefined;

  /** What it resolves to holds from now on: whoever asks meanwhile waits for it. */
  function hold(reading: Promise<Ring>): Promise<Ring> {
    ring = reading;
    reading.catch(() => {
      if (ring === reading) ring = undefined;
    });
    return reading;
  }

  const load = () => ring ?? hold(read());

  async function read(): Promise<Ring> {
    const keys = new Map<string, SigningKey>();
    let signing: SigningKey | undefined;
    for (const row of await rows.list()) {
      const key = await toKey(row, await vault.open(row.secret, row.id));
      keys.set(row.id, key);
      if (row.retiredAt === null) signing = key;
    }
    signing ??= await add();
    return { keys: keys.set(signing.id, signing), signing };
  }

  async function add(): Promise<SigningKey> {
    const id = newId('sign');
    const secret = randomBytes(32);
    const row: SigningKeyRow = {
      id,
      algorithm: 'HS256',
      secret: await vault.seal(secret, id),
      createdAt: clock.now(),
      retiredAt: null,
      expiresAt: null,
    };
    await rows.insert(row);
    return toKey(row, secret);
  }

  return {
    async current() {
      return (await load()).signing;
    },
    async find(id) {
      const key = (await load()).keys.get(id);
      return key && (key.expiresAt === null || clock.now() < key.expiresAt) ? key : undefined;
    },
    async rotate(overlapSeconds) {
      if (overlapSeconds < 0 || overlapSeconds > MAX_SIGNING_OVERLAP_SECONDS) {
        throw badInput(
          'overlapSeconds',
          `is ${overlapSeconds}; it must be 0–${MAX_SIGNING_OVERLAP_SECONDS}.`,
        );
      }
      const before = ring?.catch(() => undefined);
      async function renew(): Promise<Ring> {
        await before;
        await rows.retireAll(clock.now(), clock.now() + overlapSeconds * 1000);
        return read();
      }
      await hold(renew());
    },
  };
}

/** All that verify, and the one of them that signs. */
interface Ring {
  keys: Map<string, SigningKey>;
  signing: SigningKey;
}

async function toKey({ id, expiresAt }: SigningKeyRow, secret: Uint8Array): Promise<SigningKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const signs = await webcrypto.subtle.importKey('raw', secret, algorithm, false, ['sign']);
  return { id, algorithm: 'HS256', signs, verifies: createSecretKey(secret), expiresAt };
}
