import { afterEach, beforeEach, expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { changeSettings } from '../support/projects.ts';
import { OPENTOK, tokenOf, TWILIO } from '../support/external-credentials.ts';
import { BACKEND, createIssuerFixture, type IssuerFixture } from './issuer-fixture.ts';
import {
  EXPIRED,
  tryAuthenticate,
  REFUSED,
  REVOKED,
  ACCEPTED,
  type AuthenticationOutcome,
} from './authenticate.ts';

// A credential that was accepted before must be verified again: no cache may outlive its end.

let fixture: IssuerFixture;
beforeEach(async () => {
  fixture = await createIssuerFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const ask = (query: string, variables: object = {}) => fixture.signalbox.request(query, variables);
const removeKey = (issuer: string, key: string) =>
  ask('mutation ($i: ID!, $k: ID!) { removeIssuerKey(issuer: $i, key: $k) { id } }', { i: issuer, k: key });

interface CredentialKind {
  credential: () => string | Promise<string>;
  /** Removes the key that verifies the credential. */
  revokeKey: () => Promise<unknown>;
  /** Whether the credential has no expiry. */
  neverExpires?: boolean;
}

const CREDENTIAL_KINDS: Record<string, CredentialKind> = {
  'SIGNALBOX (own)': {
    credential: async () => (await mint(fixture.signalbox, { expiresIn: 3600 })).credential,
    revokeKey: () => ask('mutation { rotateSigningKey(overlapSeconds: 0) }'),
  },
  SIGNALBOX: {
    credential: () => fixture.sign('SIGNALBOX'),
    revokeKey: () => removeKey(fixture.issuers.SIGNALBOX, BACKEND),
  },
  API_KEY: {
    credential: () => fixture.sign('API_KEY'),
    revokeKey: () => ask('mutation ($k: ID!) { revokeApiKey(id: $k) { id } }', { k: fixture.signingKey.id }),
  },
  STREAM: {
    credential: () => fixture.sign('STREAM'),
    revokeKey: () => removeKey(fixture.issuers.STREAM, 'stream'),
  },
  TWILIO: {
    credential: () => fixture.sign('TWILIO'),
    revokeKey: () => removeKey(fixture.issuers.TWILIO, TWILIO.key.id),
  },
  OPENTOK: {
    credential: () => fixture.sign('OPENTOK'),
    revokeKey: () => removeKey(fixture.issuers.OPENTOK, OPENTOK.key.id),
  },
  T1: {
    credential: () => fixture.signT1(),
    revokeKey: () => removeKey(fixture.issuers.OPENTOK, OPENTOK.key.id),
  },
  JWKS: {
    credential: () => fixture.signJwks(),
    async revokeKey() {
      fixture.provider.publish([]);
      await fixture.clock.advance(600_000);
    },
  },
  DEVELOPMENT: {
    credential: async () =>
      (await ask('mutation { createDevelopmentToken(identity: "ada") }')).createDevelopmentToken,
    revokeKey: () => changeSettings(fixture.signalbox, { developmentTokens: false }),
    neverExpires: true,
  },
};
const kinds = Object.entries(CREDENTIAL_KINDS);

/** Authenticates twice, so that the second attempt uses the caches that the first one filled. */
async function expectOutcome(credential: string, outcome: AuthenticationOutcome): Promise<void> {
  for (let times = 0; times < 2; times++)
    expect(await tryAuthenticate(fixture.signalbox, credential)).toEqual(outcome);
}

test.each(kinds)(
  '%s: a revocation of all tokens and its restoration apply at the next use',
  async (_, kind) => {
    const credential = await kind.credential();
    await expectOutcome(credential, ACCEPTED);
    await fixture.clock.advance(1000);
    await ask('mutation { revokeTokens(all: true) { connections } }');
    await expectOutcome(credential, REVOKED);
    await ask('mutation { restoreTokens(all: true) { createdAt } }');
    await expectOutcome(credential, ACCEPTED);
  },
);

test.each(kinds)('%s: a revoked token stays revoked after restoreTokens', async (_, kind) => {
  const credential = await kind.credential();
  await expectOutcome(credential, ACCEPTED);
  const { id } = await tokenOf(fixture.signalbox, credential);
  await revokeToken(fixture.signalbox, id);
  await expectOutcome(credential, REVOKED);
  await ask('mutation { restoreTokens(all: true) { createdAt } }');
  await expectOutcome(credential, REVOKED);
});

test.each(kinds.filter(([, { neverExpires }]) => !neverExpires))(
  '%s: expires exactly at its exp',
  async (_, kind) => {
    const credential = await kind.credential();
    await expectOutcome(credential, ACCEPTED);
    await fixture.clock.advance(3_599_999);
    await expectOutcome(credential, ACCEPTED);
    await fixture.clock.advance(1);
    await expectOutcome(credential, EXPIRED);
  },
);

test.each(kinds)('%s: is refused once its key is removed', async (_, kind) => {
  const credential = await kind.credential();
  await expectOutcome(credential, ACCEPTED);
  await kind.revokeKey();
  // The keys of a provider are fetched at most twice in 30 seconds. Until the next fetch, the key may have been published.
  const notFetched = { ...REFUSED, close: 1013 };
  expect([REFUSED, notFetched]).toContainEqual(await tryAuthenticate(fixture.signalbox, credential));
});

test('a newer credential of a revoked token does not change the token', async () => {
  const { signalbox, clock } = fixture;
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { id } = await tokenOf(signalbox, fixture.sign('SIGNALBOX'));
  await revokeToken(signalbox, id);
  const readState = async () => [
    await ask(
      'query ($id: ID!) { token(id: $id) { role connectionData expiresAt claimedGrants { channels } } }',
      { id },
    ),
    await ask('{ channel(id: "news") { tokens { nodes { id } } } tokens { nodes { id } } }'),
  ];
  const before = await readState();
  await clock.advance(1000);
  const claims = { role: 'MODERATOR', data: 'new', channels: ['news'], grants: [] };
  await expectOutcome(fixture.sign('SIGNALBOX', claims), REVOKED);
  expect(await readState()).toEqual(before);
});

test('a revoked credential creates neither a token nor a channel', async () => {
  const { signalbox, clock } = fixture;
  const old = [
    ...Object.values(await fixture.validCredentials()),
    await CREDENTIAL_KINDS['DEVELOPMENT']!.credential(),
  ];
  await clock.advance(1000);
  await ask('mutation { revokeTokens(all: true) { connections } }');
  for (const credential of old) expect(await tryAuthenticate(signalbox, credential)).toEqual(REVOKED);
  expect(await ask('{ tokens { nodes { id } } channels { nodes { id } } }')).toEqual({
    tokens: { nodes: [] },
    channels: { nodes: [] },
  });
});
