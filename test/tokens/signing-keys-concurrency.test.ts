import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { type Vault } from '../../src/secrets/vault.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createSigningKeyStore } from '../../src/tokens/signing-key-store.ts';
import { createSigningKeys } from '../../src/tokens/signing-keys.ts';
import { createJweVault } from '../../src/secrets/vault.ts';
import { createManualClock } from '../support/clock.ts';

/** Signing keys on a new store, with an optional wrapper around the vault that opens them. */
function createKeyRing(wrapVault: (vault: Vault) => Vault = (vault) => vault) {
  const store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock();
  const keys = createSigningKeys({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    randomBytes,
    vault: wrapVault(createJweVault(['a'.repeat(32)])),
    async announce(write, signalOf) {
      const result = await write(store);
      if (signalOf(result)) keys.invalidateAll();
      return { result, connections: 0 };
    },
  });
  const signingRows = async () =>
    (await createSigningKeyStore(store).list()).filter(({ retiredAt }) => retiredAt === null);
  return { keys, signingRows, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('concurrent first calls of current() create one key', async () => {
  await using keyRing = createKeyRing();
  const ids = await Promise.all(Array.from({ length: 10 }, async () => (await keyRing.keys.current()).id));
  expect(new Set(ids).size).toBe(1);
  expect(await keyRing.signingRows()).toHaveLength(1);
});

test('a find() that overlaps rotate() does not discard the new key', async () => {
  const opened = new Set<string>();
  let find: () => Promise<unknown> = async () => undefined;
  let finding: Promise<unknown> | undefined;
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  await using keyRing = createKeyRing((vault) => ({
    ...vault,
    async open(sealed, of) {
      // The second read of a key is slow.
      const isSecond = opened.size === opened.add(of).size;
      finding ??= find();
      if (isSecond) await released;
      return vault.open(sealed, of);
    },
  }));
  const { id: old } = await keyRing.keys.current();
  find = () => keyRing.keys.find(old);
  await keyRing.keys.rotate(60);
  release();
  expect(await finding).toBeDefined();
  const { id } = await keyRing.keys.current();
  expect(id).not.toBe(old);
  expect(await keyRing.keys.find(id)).toMatchObject({ id });
  expect(await keyRing.keys.find(old)).toMatchObject({ id: old });
});

test('concurrent rotations run one after the other and leave one signing key', async () => {
  await using keyRing = createKeyRing();
  const { id: first } = await keyRing.keys.current();
  await Promise.all([keyRing.keys.rotate(60), keyRing.keys.rotate(60), keyRing.keys.rotate(60)]);
  const ids = await Promise.all(Array.from({ length: 5 }, async () => (await keyRing.keys.current()).id));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).not.toBe(first);
  expect(await keyRing.keys.find(ids[0]!)).toMatchObject({ expiresAt: null });
  expect(await keyRing.signingRows()).toHaveLength(1);
});

test('reads the keys again on the next call when the vault fails to open one', async () => {
  let isBroken = false;
  await using keyRing = createKeyRing((vault) => ({
    ...vault,
    open: async (sealed, of) => {
      if (isBroken) throw new TypeError('The vault is broken.');
      return vault.open(sealed, of);
    },
  }));
  const { id } = await keyRing.keys.current();
  isBroken = true;
  await expect(keyRing.keys.rotate(60)).rejects.toThrow('The vault is broken.');
  await expect(keyRing.keys.find(id)).rejects.toThrow('The vault is broken.');
  isBroken = false;
  expect(await keyRing.keys.find(id)).toMatchObject({ id });
});
