import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Audit } from '../../src/audit.ts';
import { createIds } from '../../src/ids.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createProvisioning } from '../../src/tokens/provisioning.ts';
import { createRevocations } from '../../src/tokens/revocations.ts';
import { type CredentialRights } from '../../src/tokens/token.ts';
import { createManualClock } from '../support/clock.ts';

const NOW = Date.UTC(2030, 0, 1);

/** Provisioning on a store of its own, with an asynchronous auto-subscription: concurrent calls interleave, as on two nodes. */
function createSlowProvisioning() {
  const store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock(NOW);
  const addedChannels: string[] = [];
  const audited: string[] = [];
  const audit: Audit = ({ action }) => void audited.push(action);
  const provisioning = createProvisioning({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    audit,
    revocations: createRevocations({
      cutOff: clock.now,
      store,
      rootKeyIdOf: async (_, id) => id,
      clock,
      announce: async (write) => ({ result: await write(store), connections: 0 }),
      audit,
    }),
    autoSubscription: {
      async prepare() {
        await setImmediate();
        return [];
      },
      async subscribe(_, channels) {
        addedChannels.push(...channels);
      },
      forgetSuperseded: async () => undefined,
    },
  });
  async function findOrCreate(issuedAt: number, subject = 'ada') {
    const shared = {
      connectionData: `issued at ${issuedAt}`,
      role: null,
      grants: null,
      issuedAt,
      expiresAt: null,
    };
    const rights: CredentialRights = { ...shared, customRole: null };
    const claims = {
      ...shared,
      subject,
      identity: subject,
      channels: [`of ${issuedAt}`],
      isSingleCredential: false,
    };
    const scope = {
      projectId: 'default',
      issuerId: 'key_1',
      origin: 'SELF_MINTED' as const,
      createsChannels: false,
    };
    return provisioning.findOrCreate(scope, claims, rights);
  }
  return { findOrCreate, addedChannels, audited, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('creates one record for 20 concurrent first uses of a credential', async () => {
  await using provisioning = createSlowProvisioning();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => provisioning.findOrCreate(NOW)));
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(1);
  expect(provisioning.audited).toEqual(['token.first-use']);
  expect((await provisioning.findOrCreate(NOW, 'ben')).id).not.toBe(tokens[0]!.id);
});

test('adds the channels of the newest credential when it loses the race to create the record', async () => {
  await using provisioning = createSlowProvisioning();
  await Promise.all([
    provisioning.findOrCreate(NOW - 1000),
    provisioning.findOrCreate(NOW),
    provisioning.findOrCreate(NOW - 2000),
  ]);
  expect(provisioning.addedChannels).toEqual([`of ${NOW}`]);
  expect((await provisioning.findOrCreate(NOW - 2000)).credentialRights).toMatchObject({ issuedAt: NOW });
});
