import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { type Vault } from '../../src/secrets/vault.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createSigningKeyStore } from '../../src/tokens/signing-key-store.ts';
import { createSigningKeys } from '../../src/tokens/signing-keys.ts';
import { createJweVault } from '../../src/secrets/vault.ts';
import { createManualClock } from '../support/clock.ts';

/** Keys in a store of their own; what opens their secrets may be put in between. */
function createRing(between: (vault: Vault) => Vault = (vault) => vault) {
  const store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock();
  const keys = createSigningKeys({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    randomBytes,
    vault: between(createJweVault(['a'.repeat(32)])),
  });
  const signing = async () =>
    (await createSigningKeyStore(store).list()).filter(({ retiredAt }) => retiredAt === null);
  return { keys, signing, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('many who are the first at once sign with the same key', async () => {
  await using ring = createRing();
  const ids = await Promise.all(Array.from({ length: 10 }, async () => (await ring.keys.current()).id));
  expect(new Set(ids).size).toBe(1);
  expect(await ring.signing()).toHaveLength(1);
});

test('whoever looks for a key while they are rotated does not make the new one forgotten', async () => {
  const opened = new Set<string>();
  let look: () => Promise<unknown> = async () => undefined;
  let looking: Promise<unknown> | undefined;
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  await using ring = createRing((vault) => ({
    ...vault,
    async open(sealed, of) {
      // Whoever reads it a second time is slow.
      const isSecond = opened.size === opened.add(of).size;
      looking ??= look();
      if (isSecond) await released;
      return vault.open(sealed, of);
    },
  }));
  const { id: old } = await ring.keys.current();
  look = () => ring.keys.find(old);
  await ring.keys.rotate(60);
  release();
  expect(await looking).toBeDefined();
  const { id } = await ring.keys.current();
  expect(id).not.toBe(old);
  expect(await ring.keys.find(id)).toMatchObject({ id });
  expect(await ring.keys.find(old)).toMatchObject({ id: old });
});

test('rotations at once come one after the other, and leave one key that signs', async () => {
  await using ring = createRing();
  const { id: first } = await ring.keys.current();
  await Promise.all([ring.keys.rotate(60), ring.keys.rotate(60), ring.keys.rotate(60)]);
  const ids = await Promise.all(Array.from({ length: 5 }, async () => (await ring.keys.current()).id));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).not.toBe(first);
  expect(await ring.keys.find(ids[0]!)).toMatchObject({ expiresAt: null });
  expect(await ring.signing()).toHaveLength(1);
});

test('where its secrets cannot be read the next one who asks tries again', async () => {
  let isBroken = false;
  await using ring = createRing((vault) => ({
    ...vault,
    open: async (sealed, of) => {
      if (isBroken) throw new TypeError('It cannot be read.');
      return vault.open(sealed, of);
    },
  }));
  const { id } = await ring.keys.current();
  isBroken = true;
  await expect(ring.keys.rotate(60)).rejects.toThrow('It cannot be read.');
  await expect(ring.keys.find(id)).rejects.toThrow('It cannot be read.');
  isBroken = false;
  expect(await ring.keys.find(id)).toMatchObject({ id });
});
