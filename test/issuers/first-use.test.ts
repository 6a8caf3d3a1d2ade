import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Audit } from '../../src/audit.ts';
import { createIds } from '../../src/ids.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createProvisioning } from '../../src/tokens/provisioning.ts';
import { createRevocations } from '../../src/tokens/revocations.ts';
import { type CredentialRights } from '../../src/tokens/token.ts';
import { createManualClock } from '../support/clock.ts';

const NOW = Date.UTC(2030, 0, 1);

/** Records on a store of their own, where finding out about channels takes a while: as on another node. */
function createSlowRecords() {
  const store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock(NOW);
  const added: string[] = [];
  const audited: string[] = [];
  const audit: Audit = ({ action }) => void audited.push(action);
  const records = createProvisioning({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    audit,
    revocations: createRevocations({
      store,
      rootKeyIdOf: async (_, id) => id,
      clock,
      announce: async () => 0,
      audit,
    }),
    autoSubscription: {
      async initialMemberships() {
        await turn();
        return [];
      },
      async subscribe(_, channels) {
        added.push(...channels);
      },
    },
  });
  async function meet(issuedAt: number, subject = 'ada') {
    const said = {
      connectionData: `issued at ${issuedAt}`,
      role: null,
      grants: null,
      issuedAt,
      expiresAt: null,
    };
    const rights: CredentialRights = { ...said, customRole: null };
    const claims = {
      ...said,
      subject,
      identity: subject,
      channels: [`of ${issuedAt}`],
      isOneCredential: false,
    };
    const whose = {
      projectId: 'default',
      issuerId: 'key_1',
      origin: 'SELF_MINTED' as const,
      makesChannels: false,
    };
    return records.findOrCreate(whose, claims, rights);
  }
  return { meet, added, audited, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('of many who are the first at the same moment one makes the record, and all have it', async () => {
  await using records = createSlowRecords();
  const met = await Promise.all(Array.from({ length: 20 }, () => records.meet(NOW)));
  expect(new Set(met.map(({ id }) => id)).size).toBe(1);
  expect(records.audited).toEqual(['token.first-use']);
  expect((await records.meet(NOW, 'ben')).id).not.toBe(met[0]!.id);
});

test('whoever was not the first is still heard, if what they have is newer', async () => {
  await using records = createSlowRecords();
  await Promise.all([records.meet(NOW - 1000), records.meet(NOW), records.meet(NOW - 2000)]);
  expect(records.added).toEqual([`of ${NOW}`]);
  expect((await records.meet(NOW - 2000)).credentialRights).toMatchObject({ issuedAt: NOW });
});
