import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, publish, roundTrip, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';

const CREATE_GUEST = `mutation ($input: CreateGuestInput) { createGuest(input: $input) {
  credential cursor token { id identity origin issuer role grants { channels } connectionData expiresAt }
} }`;

/** Calls createGuest without a credential. */
const createGuest = async ({ request }: ServiceClient, input: object = {}) =>
  (await request(CREATE_GUEST, { input }, null)).createGuest;

const LONG_INTERVALS = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

test('createGuest creates a token with a unique identity, the role GUEST and an expiry of one hour', async () => {
  await using signalbox = await startService({}, { clock: createManualClock(Date.UTC(2030, 0, 1)) });
  const unnamed = await createGuest(signalbox);
  const { id, ...token } = unnamed.token;
  expect(token).toEqual({
    identity: `guest:${id.slice('token_'.length)}`,
    origin: 'GUEST',
    issuer: null,
    role: 'GUEST',
    grants: null,
    connectionData: null,
    expiresAt: '2030-01-01T01:00:00.000Z',
  });
  const named = [1, 2].map(() => createGuest(signalbox, { name: 'ada', connectionData: 'Ada' }));
  const [first, second] = await Promise.all(named);
  expect(first.token.identity).toMatch(/^guest:[0-9a-z]{26}:ada$/);
  expect(second.token.identity).toMatch(/^guest:[0-9a-z]{26}:ada$/);
  expect(first.token.identity).not.toBe(second.token.identity);
  expect(first.token.connectionData).toBe('Ada');
  const { viewer } = await signalbox.request(`{ viewer { token { id } } }`, {}, first.credential);
  expect(viewer.token).toEqual({ id: first.token.id });
});

test.for([
  [{ name: '' }, 'input.name'],
  [{ name: 'ada:1' }, 'input.name'],
  [{ name: 'a'.repeat(65) }, 'input.name'],
  [{ connectionData: 'x'.repeat(1001) }, 'input.connectionData'],
] as const)('createGuest names the invalid field (case %#)', async ([input, field]) => {
  await using signalbox = await startService();
  const { errors } = await signalbox.ask(CREATE_GUEST, { input }, null);
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  expect((await signalbox.request(`{ tokens { nodes { id } } }`)).tokens.nodes).toEqual([]);
});

test('createGuest throws FORBIDDEN when the project disables guests, and existing guests keep access', async () => {
  await using signalbox = await startService({ mode: 'production' });
  const other = await createProject(signalbox, 'other');
  expect(codeOf(await signalbox.ask(CREATE_GUEST, {}, null))).toBe('FORBIDDEN');
  await changeSettings(signalbox, { guests: true });
  const { credential } = await createGuest(signalbox);
  await changeSettings(signalbox, { guests: false });
  expect(codeOf(await signalbox.ask(CREATE_GUEST, {}, null))).toBe('FORBIDDEN');
  expect(codeOf(await signalbox.ask(CREATE_GUEST, {}, credential))).toBe('FORBIDDEN');
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, credential))).toBeUndefined();
  await changeSettings(other, { guests: true });
  const elsewhere = await queueResults(signalbox.client({ project: 'other' }), CREATE_GUEST).next();
  const { viewer } = await signalbox.request(`{ viewer { project } }`, {}, elsewhere.createGuest.credential);
  expect(viewer.project).toBe('other');
});

test('refuses the identity of a guest in createToken, in credentials and in createDevelopmentToken', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { emailIdentities: true, developmentTokens: true });
  const { identity } = (await createGuest(signalbox, { name: 'ada' })).token;
  const kid = API_KEY.split('.')[0]!;
  const sign = (sub: string) => forge({ alg: 'HS256', kid }, { sub }, signingSecretOf(API_KEY));
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, sign('ada')))).toBeUndefined();
  for (const guestIdentity of [identity, 'guest:', 'guest:ada']) {
    const create = await signalbox.ask(
      `mutation ($input: CreateTokenInput) { createToken(input: $input) { credential } }`,
      { input: { identity: guestIdentity } },
    );
    expect(create.errors).toMatchObject([
      {
        message: expect.stringContaining('has ":" at position 5'),
        extensions: { code: 'BAD_USER_INPUT', field: 'input.identity' },
      },
    ]);
    const signed = await signalbox.ask(`{ viewer { kind } }`, {}, sign(guestIdentity));
    expect(signed.errors?.[0]?.message).toContain('has ":" at position 5');
    expect(codeOf(signed)).toBe('UNAUTHENTICATED');
    const unsigned = await signalbox.ask(
      `mutation ($i: String!) { createDevelopmentToken(identity: $i) }`,
      { i: guestIdentity },
      null,
    );
    expect(codeOf(unsigned)).toBe('BAD_USER_INPUT');
  }
  const { tokens } = await signalbox.request(
    `query ($i: String) { tokens(identity: $i) { nodes { origin } } }`,
    {
      i: identity,
    },
  );
  expect(tokens.nodes).toEqual([{ origin: 'GUEST' }]);
});

test('a guest subscribes to UNPROTECTED and PUBLIC channels, not to PRIVATE ones, and cannot publish', async () => {
  await using signalbox = await startService();
  for (const type of ['UNPROTECTED', 'PUBLIC', 'PRIVATE'])
    await createChannel(signalbox, type.toLowerCase(), { type });
  const created = await queueResults(signalbox.client({}), CREATE_GUEST).next();
  const { credential, token } = created.createGuest;
  const client = signalbox.client({ token: credential });
  const listen = (channel: string) =>
    queueResults(client, `subscription ($c: ID!) { messages(channel: $c) { channel event } }`, {
      c: channel,
    });
  for (const channel of ['unprotected', 'public']) {
    const messages = listen(channel);
    await roundTrip(client);
    expect(await publish(signalbox, channel, 'live')).toBe(1);
    expect(await messages.next()).toEqual({ messages: { channel, event: 'live' } });
  }
  expect(await listen('private').ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  const subscribe = `mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }`;
  for (const bearer of [credential, signalbox.apiKey])
    expect(codeOf(await signalbox.ask(subscribe, { c: 'private', t: token.id }, bearer))).toBe('FORBIDDEN');
  for (const channel of ['unprotected', 'public', 'private']) {
    const publishMessage = `mutation ($c: ID!) { publishMessage(channel: $c, event: "e") { repeated } }`;
    expect(codeOf(await signalbox.ask(publishMessage, { c: channel }, credential))).toBe('FORBIDDEN');
  }
});

test('a guest expires after the guestSeconds at its creation, and its socket closes with 4403', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0, ...LONG_INTERVALS }, { clock });
  await changeSettings(signalbox, { guestSeconds: 60 });
  const { credential, token } = await createGuest(signalbox);
  await changeSettings(signalbox, { guestSeconds: 86_400 });
  const events = queueResults(
    signalbox.client({ token: credential }),
    `subscription { events { __typename } }`,
  );
  await events.next();
  await clock.advance(59_999);
  expect(await isOnline(signalbox, token.id)).toBe(true);
  await clock.advance(1);
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, credential))).toBe('TOKEN_EXPIRED');

  // maxLifetimeSeconds limits guests too.
  await changeSettings(signalbox, { maxLifetimeSeconds: 30 });
  const short = (await createGuest(signalbox)).token;
  expect(Date.parse(short.expiresAt) - clock.now()).toBe(30_000);
});

const HOUR_MS = 3_600_000;

/** The token ids of all membership rows, whether or not the tokens exist. */
function membersIn(folder: string): unknown[] {
  const sqlite = new Database(join(folder, 'signalbox.sqlite'), { readonly: true });
  const ids = sqlite.prepare('SELECT token_id FROM memberships ORDER BY token_id').pluck().all();
  sqlite.close();
  return ids;
}

test('the token sweeper deletes a guest and its memberships one day after it expired, and no other token', async () => {
  const clock = createManualClock();
  using folder = createFolder();
  await using signalbox = await startService({ data: folder.path, ...LONG_INTERVALS }, { clock });
  const { tokenSweeper } = signalbox.service;
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const expiring = await createGuest(signalbox);
  const extended = await createGuest(signalbox);
  const user = await mint(signalbox, { identity: 'ada', expiresIn: 3600, channels: ['news'] });
  for (const { token, credential } of [expiring, extended])
    await signalbox.request(
      `mutation ($t: ID!) { subscribeToken(channel: "news", token: $t) { createdAt } }`,
      { t: token.id },
      credential,
    );
  await updateToken(signalbox, extended.token.id, { expiresIn: 48 * 3600 });
  const sweepAndList = async () => {
    await tokenSweeper.sweep();
    const { tokens } = await signalbox.request(`{ tokens { nodes { id } } }`);
    const ids: string[] = tokens.nodes.map(({ id }: { id: string }) => id).sort();
    expect(membersIn(folder.path)).toEqual(ids);
    return ids;
  };
  const all = [expiring.token.id, extended.token.id, user.id].sort();
  await clock.advance(25 * HOUR_MS - 1);
  expect(await sweepAndList()).toEqual(all);
  await clock.advance(1);
  expect(await sweepAndList()).toEqual(all.filter((id) => id !== expiring.token.id));
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, expiring.credential))).toBe('TOKEN_EXPIRED');
  await clock.advance(47 * HOUR_MS);
  expect(await sweepAndList()).toEqual([user.id]);
});
