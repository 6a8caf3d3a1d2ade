import pg from 'pg';
import { expect, test } from 'vitest';
import { type Caller } from '../../src/tokens/caller.ts';
import { mint, revokeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, startServiceOnPostgres, type Answer } from '../support/service.ts';

const RENEW = `mutation ($token: ID, $identity: String, $expiresIn: Int) {
  createCredential(token: $token, identity: $identity, expiresIn: $expiresIn) {
    credential cursor token { id expiresAt }
  }
}`;
const VIEWER = '{ viewer { token { id } } }';
const VIEWER_EXPIRY = '{ viewer { token { id expiresAt } } }';
const REAUTHENTICATE = `mutation ($c: String!) { reauthenticate(credential: $c) { token { id expiresAt } } }`;

const errorOf = async (answer: Promise<Answer>) => {
  const [error] = (await answer).errors ?? [];
  return error && { code: error.extensions['code'], message: error.message };
};

test('createCredential renews a login on the live connection, by token and by identity', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox, { identity: 'ada', expiresIn: 60 });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, 'subscription { events { __typename } }');
  await events.next();
  for (const target of [{ token: id }, { identity: 'ada' }]) {
    await clock.advance(50_000);
    const { createCredential: renewed } = await signalbox.request(RENEW, { ...target, expiresIn: 120 });
    const expiresAt = new Date(clock.now() + 120_000).toISOString();
    expect(renewed.token).toEqual({ id, expiresAt });
    const viewer = queueResults(client, REAUTHENTICATE, { c: renewed.credential });
    expect((await viewer.next()).reauthenticate.token).toEqual({ id, expiresAt });
    await clock.advance(20_000);
    expect((await signalbox.request(VIEWER, {}, renewed.credential)).viewer.token.id).toBe(id);
  }
  expect(events.waiting.filter(({ events: { __typename } }) => __typename === 'Disconnecting')).toEqual([]);
});

test('createCredential renews an expired token with expiresIn, and names expiresIn in the error without it', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const { id } = await mint(signalbox, { identity: 'ada', expiresIn: 60 });
  await clock.advance(3_600_000);
  expect(await errorOf(signalbox.ask(RENEW, { token: id }))).toEqual({
    code: 'TOKEN_EXPIRED',
    message: 'The token has expired. Pass expiresIn to renew it.',
  });
  const { createCredential: renewed } = await signalbox.request(RENEW, { identity: 'ada', expiresIn: 60 });
  expect((await signalbox.request(VIEWER, {}, renewed.credential)).viewer.token.id).toBe(id);
});

test('expiresIn of createCredential never shortens the life of a token', async () => {
  await using signalbox = await startService({}, { clock: createManualClock() });
  const [long, endless] = [await mint(signalbox, { expiresIn: 3600 }), await mint(signalbox)];
  const expiryOf = async (token: string) =>
    (await signalbox.request(RENEW, { token, expiresIn: 60 })).createCredential.token.expiresAt;
  expect(await expiryOf(long.id)).toBe('2030-01-01T01:00:00.000Z');
  expect(await expiryOf(endless.id)).toBeNull();
});

const LATER = Date.UTC(2030, 0, 31);

test.each([null, LATER])(
  'createCredential never shortens the life that updateToken gives the token meanwhile (expiresAt: %s)',
  async (expiresAt) => {
    await using signalbox = await startService({}, { clock: createManualClock() });
    const { authenticate, tokens } = signalbox.service.domain;
    const backend: Caller = await authenticate.apiKey(signalbox.apiKey);
    // How many turns of the microtask queue later the update begins: every interleaving of the two.
    for (let offset = 0; offset < 40; offset++) {
      const { id } = await mint(signalbox, { expiresIn: 60 });
      const update = async () => {
        for (let turn = 0; turn < offset; turn++) await Promise.resolve();
        return tokens.update(backend, id, { expiresAt });
      };
      const [renewed] = await Promise.all([tokens.createCredential(backend, { token: id }, 3600), update()]);
      expect((await tokens.get(backend, id)).expiresAt, `offset ${offset}`).toBe(expiresAt);
      // The token of before the update, or of after it.
      expect([Date.UTC(2030, 0, 1, 1), expiresAt], `offset ${offset}`).toContain(renewed.token.expiresAt);
    }
  },
);

test('createCredential keeps the expiry that another node sets between its read and its write, and returns it', async (context) => {
  requirePostgres(context);
  const postgres = await sharedPostgres();
  const url = await postgres.createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  const { id } = await mint(signalbox, { expiresIn: 60 });
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  await other.query(`begin; update tokens set expires_at = null where id = '${id}'`);
  const renewing = signalbox.request(RENEW, { token: id, expiresIn: 3600 });
  await expect.poll(() => countWaiting(url, 'update "tokens"')).toBe(1);
  await other.query('commit');
  await other.end();
  expect((await renewing).createCredential.token).toEqual({ id, expiresAt: null });
  expect(
    (await signalbox.request(VIEWER_EXPIRY, {}, (await renewing).createCredential.credential)).viewer,
  ).toEqual({ token: { id, expiresAt: null } });
});

test('createCredential refuses a token that was revoked while it was being extended', async () => {
  await using signalbox = await startService({}, { clock: createManualClock() });
  const { authenticate, tokens } = signalbox.service.domain;
  const backend: Caller = await authenticate.apiKey(signalbox.apiKey);
  const outcomes = new Set<string>();
  for (let offset = 0; offset < 40; offset++) {
    const { id } = await mint(signalbox, { expiresIn: 60 });
    const revoke = async () => {
      for (let turn = 0; turn < offset; turn++) await Promise.resolve();
      return tokens.revoke(backend, id);
    };
    const [renewed] = await Promise.all([
      tokens.createCredential(backend, { token: id }, 3600).then(
        () => 'created',
        (error: unknown) => (error as { code: string }).code,
      ),
      revoke(),
    ]);
    outcomes.add(renewed);
  }
  expect([...outcomes].sort()).toEqual(['TOKEN_REVOKED', 'created']);
});

test('createCredential refuses targets and lifetimes that it cannot serve, with the reason in the message', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const phone = await mint(signalbox, { identity: 'ada' });
  await mint(signalbox, { identity: 'ada', expiresIn: 60 });
  await signalbox.request('mutation { updateProject(settings: { maxLifetimeSeconds: 7200 }) { id } }');
  const BAD = 'BAD_USER_INPUT';
  for (const [variables, code, message] of [
    [{}, BAD, /exactly one of token and identity/],
    [{ token: phone.id, identity: 'ada' }, BAD, /exactly one of token and identity/],
    [{ identity: 'ada' }, BAD, /has several tokens; name one/],
    [{ identity: 'nobody' }, 'NOT_FOUND', /no token of identity “nobody”/],
    [{ token: 'token_none' }, 'NOT_FOUND', /token_none/],
    [{ token: phone.id, expiresIn: 0 }, BAD, /^expiresIn: must be in the future/],
    [{ token: phone.id, expiresIn: 7201 }, BAD, /^expiresIn: is too far ahead/],
  ] as const) {
    expect(await errorOf(signalbox.ask(RENEW, variables))).toEqual({
      code,
      message: expect.stringMatching(message) as string,
    });
  }
  // A revoked and an expired token do not count as a second one.
  await revokeToken(signalbox, phone.id);
  const renewed = await signalbox.request(RENEW, { identity: 'ada', expiresIn: 120 });
  expect(renewed.createCredential.token.id).not.toBe(phone.id);
});
