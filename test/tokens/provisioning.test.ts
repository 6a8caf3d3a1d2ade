import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createProvisioning } from '../../src/tokens/provisioning.ts';
import { type CredentialRights, type Token } from '../../src/tokens/token.ts';
import { createManualClock } from '../support/clock.ts';

test('subscribes a token by the rights of its newer credential, not by those of the older one', async () => {
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock();
  const subscribed: Token[] = [];
  const provisioning = createProvisioning({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    audit: () => undefined,
    revocations: { async requireNotRevoked() {} },
    autoSubscription: {
      prepare: async () => [],
      subscribe: async (token) => void subscribed.push(token),
      forgetSuperseded: async () => undefined,
    },
  });
  const authenticate = (rights: CredentialRights) =>
    provisioning.findOrCreate(
      { projectId: 'default', issuerId: 'key_1', origin: 'SELF_MINTED', createsChannels: false },
      { ...rights, subject: 'ada', identity: 'ada', channels: ['news'], isSingleCredential: false },
      rights,
    );
  const none = { customRole: null, grants: null, connectionData: null, expiresAt: null };
  await authenticate({ ...none, role: 'GUEST', issuedAt: 1000 });
  const newer: CredentialRights = { ...none, role: 'MODERATOR', issuedAt: 2000 };
  expect((await authenticate(newer)).credentialRights).toEqual(newer);
  expect(subscribed.map(({ credentialRights }) => credentialRights)).toEqual([newer]);
});
