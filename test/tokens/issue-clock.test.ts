import { expect, test } from 'vitest';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createIssueClock } from '../../src/tokens/issue-clock.ts';
import { revocations } from '../../src/tokens/tables.ts';

const NOW = Date.UTC(2030, 0, 1);
const open = () => openSqlite({ data: ':memory:', synchronous: 'normal' });
const sharedTime = { now: () => NOW, maxDifferenceMs: 100 };

test('a second revocation covers what another node has signed at the time that the first one left to it', async () => {
  await using store = open();
  const [here, other] = [
    await createIssueClock(store, sharedTime),
    await createIssueClock(store, sharedTime),
  ];
  // The first one covers a credential that an issuer with a clock ahead has signed.
  for (const node of [here, other]) node.advance(NOW + 4000);
  const signed = await other.next();
  expect(signed).toBe(NOW + 4000);
  expect(here.cutOff()).toBeGreaterThan(signed);
});

test('a node signs nothing that a revocation of the store covers, from its start on', async () => {
  await using store = open();
  const revoke = (projectId: string, issuedBefore: number) =>
    store.batch([
      store.db
        .insert(revocations)
        .values({ projectId, scope: 'PROJECT', subject: '', issuedBefore, createdAt: NOW }),
    ]);
  await revoke('one', NOW + 4000);
  const issueClock = await createIssueClock(store, sharedTime);
  expect(await issueClock.next()).toBe(NOW + 4000);
  await revoke('two', NOW + 9000);
  await issueClock.refresh();
  expect(await issueClock.next()).toBe(NOW + 9000);
});
