import { afterEach, beforeEach, expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { changeSettings } from '../support/projects.ts';
import { OPENTOK, tokenOf, TWILIO } from '../support/external-credentials.ts';
import { BACKEND, openKinds, type Kinds } from './kinds.ts';
import { EXPIRED, present, REFUSED, REVOKED, TAKEN, type Fate } from './present.ts';

/** That a credential was good a moment ago is no reason why it should be now: nothing may remember only that. */
let kinds: Kinds;
beforeEach(async () => {
  kinds = await openKinds();
});
afterEach(() => kinds[Symbol.asyncDispose]());

const ask = (query: string, variables: object = {}) => kinds.signalbox.request(query, variables);
const removeKey = (issuer: string, key: string) =>
  ask('mutation ($i: ID!, $k: ID!) { removeIssuerKey(issuer: $i, key: $k) { id } }', { i: issuer, k: key });

interface Holder {
  credential: () => string | Promise<string>;
  /** Takes back what it is verified with. */
  endKey: () => Promise<unknown>;
  /** Whether it ends by itself. */
  isEndless?: boolean;
}

const HOLDERS: Record<string, Holder> = {
  OURS: {
    credential: async () => (await mint(kinds.signalbox, { expiresIn: 3600 })).credential,
    endKey: () => ask('mutation { rotateSigningKey(overlapSeconds: 0) }'),
  },
  SIGNALBOX: {
    credential: () => kinds.sign('SIGNALBOX'),
    endKey: () => removeKey(kinds.issuers.SIGNALBOX, BACKEND),
  },
  'an API key’s': {
    credential: () => kinds.sign('an API key’s'),
    endKey: () => ask('mutation ($k: ID!) { revokeApiKey(id: $k) { id } }', { k: kinds.signingKey.id }),
  },
  STREAM: { credential: () => kinds.sign('STREAM'), endKey: () => removeKey(kinds.issuers.STREAM, 'stream') },
  TWILIO: {
    credential: () => kinds.sign('TWILIO'),
    endKey: () => removeKey(kinds.issuers.TWILIO, TWILIO.key.id),
  },
  OPENTOK: {
    credential: () => kinds.sign('OPENTOK'),
    endKey: () => removeKey(kinds.issuers.OPENTOK, OPENTOK.key.id),
  },
  T1: { credential: () => kinds.signT1(), endKey: () => removeKey(kinds.issuers.OPENTOK, OPENTOK.key.id) },
  JWKS: {
    credential: () => kinds.signJwks(),
    async endKey() {
      kinds.provider.publish([]);
      await kinds.clock.advance(600_000);
    },
  },
  DEVELOPMENT: {
    credential: async () =>
      (await ask('mutation { createDevelopmentToken(identity: "ada") }')).createDevelopmentToken,
    endKey: () => changeSettings(kinds.signalbox, { developmentTokens: false }),
    isEndless: true,
  },
};
const holders = Object.entries(HOLDERS);

/** Twice: once with whatever is remembered of the time before, once more with what is remembered of that. */
async function expectFate(credential: string, fate: Fate): Promise<void> {
  for (let times = 0; times < 2; times++) expect(await present(kinds.signalbox, credential)).toEqual(fate);
}

test.each(holders)(
  '%s: a revocation of all holds at the next use, and so does its end',
  async (_, holder) => {
    const credential = await holder.credential();
    await expectFate(credential, TAKEN);
    await kinds.clock.advance(1000);
    await ask('mutation { revokeTokens(all: true) { connections } }');
    await expectFate(credential, REVOKED);
    await ask('mutation { restoreTokens(all: true) { createdAt } }');
    await expectFate(credential, TAKEN);
  },
);

test.each(holders)('%s: a revoked token is revoked, whatever comes after', async (_, holder) => {
  const credential = await holder.credential();
  await expectFate(credential, TAKEN);
  const { id } = await tokenOf(kinds.signalbox, credential);
  await revokeToken(kinds.signalbox, id);
  await expectFate(credential, REVOKED);
  await ask('mutation { restoreTokens(all: true) { createdAt } }');
  await expectFate(credential, REVOKED);
});

test.each(holders.filter(([, { isEndless }]) => !isEndless))(
  '%s: an end is an end to the millisecond',
  async (_, holder) => {
    const credential = await holder.credential();
    await expectFate(credential, TAKEN);
    await kinds.clock.advance(3_599_999);
    await expectFate(credential, TAKEN);
    await kinds.clock.advance(1);
    await expectFate(credential, EXPIRED);
  },
);

test.each(holders)('%s: what it is verified with may be taken back', async (_, holder) => {
  const credential = await holder.credential();
  await expectFate(credential, TAKEN);
  await holder.endKey();
  await expectFate(credential, REFUSED);
});

test('a newer credential of a revoked token changes nothing of it', async () => {
  const { signalbox, clock } = kinds;
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { id } = await tokenOf(signalbox, kinds.sign('SIGNALBOX'));
  await revokeToken(signalbox, id);
  const look = async () => [
    await ask(
      'query ($id: ID!) { token(id: $id) { role connectionData expiresAt claimedGrants { channels } } }',
      { id },
    ),
    await ask('{ channel(id: "news") { tokens { nodes { id } } } tokens { nodes { id } } }'),
  ];
  const before = await look();
  await clock.advance(1000);
  const claims = { role: 'MODERATOR', data: 'new', channels: ['news'], grants: [] };
  await expectFate(kinds.sign('SIGNALBOX', claims), REVOKED);
  expect(await look()).toEqual(before);
});

test('whom a revocation concerns, of them nothing is made: neither a token nor a session', async () => {
  const { signalbox, clock } = kinds;
  const old = [...Object.values(await kinds.good()), await HOLDERS['DEVELOPMENT']!.credential()];
  await clock.advance(1000);
  await ask('mutation { revokeTokens(all: true) { connections } }');
  for (const credential of old) expect(await present(signalbox, credential)).toEqual(REVOKED);
  expect(await ask('{ tokens { nodes { id } } channels { nodes { id } } }')).toEqual({
    tokens: { nodes: [] },
    channels: { nodes: [] },
  });
});
