import { type JWTPayload } from 'jose';
import { expect, test } from 'vitest';
import { mint, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { API_KEY, startService, type Answer, type ServiceClient } from '../support/service.ts';

const DAY = 86_400;
const NOW = Date.UTC(2030, 0, 1);
const NOW_SECONDS = NOW / 1000;
const LONG_INTERVALS = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

const after = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

const CREATE = `mutation ($input: CreateTokenInput) { token: createToken(input: $input) { token { expiresAt } } }`;
const UPDATE = `mutation ($id: ID!, $input: UpdateTokenInput!) { token: updateToken(id: $id, input: $input) { expiresAt } }`;

/** Creates a token. Resolves to its expiry, or to the refused field. */
async function expiryOfNew({ ask }: ServiceClient, input?: object): Promise<unknown> {
  const { data, errors } = await ask(CREATE, { input });
  return errors?.[0]?.extensions['field'] ?? data.token.token.expiresAt;
}

/** Updates a new token. Resolves to its expiry, or to the refused field. */
async function expiryOfUpdated(api: ServiceClient, input: object): Promise<unknown> {
  const { id } = await mint(api);
  const { data, errors } = await api.ask(UPDATE, { id, input });
  return errors?.[0]?.extensions['field'] ?? data.token.expiresAt;
}

test.for([
  [{}, null, Infinity],
  [{ lifetimes: 'STREAM' }, null, Infinity],
  [{ lifetimes: 'TWILIO' }, 3600, DAY],
  [{ lifetimes: 'OPENTOK' }, DAY, 30 * DAY],
  [{ defaultLifetimeSeconds: 60 }, 60, Infinity],
  [{ maxLifetimeSeconds: 90 }, 90, 90],
  [{ defaultLifetimeSeconds: 60, maxLifetimeSeconds: 90 }, 60, 90],
] as const)(
  'with the settings %o a token expires after %d seconds by default, and after %d at most',
  async ([settings, defaultSeconds, maxSeconds]) => {
    await using signalbox = await startService({}, { clock: createManualClock(NOW) });
    await changeSettings(signalbox, settings);
    const byDefault = defaultSeconds === null ? null : after(defaultSeconds);
    expect(await expiryOfNew(signalbox)).toBe(byDefault);
    expect(await expiryOfUpdated(signalbox, { state: 1 })).toBe(byDefault);
    const isUnlimited = maxSeconds === Infinity;
    const longest = isUnlimited ? 50 * 366 * DAY : maxSeconds;
    for (const expiryOf of [expiryOfNew, expiryOfUpdated]) {
      expect(await expiryOf(signalbox, { expiresIn: longest })).toBe(after(longest));
      expect(await expiryOf(signalbox, { expiresAt: after(longest) })).toBe(after(longest));
      if (isUnlimited)
        expect(await expiryOf(signalbox, { expiresAt: after(100 * 366 * DAY + 1) })).toBe('input.expiresAt');
      else {
        expect(await expiryOf(signalbox, { expiresIn: longest + 1 })).toBe('input.expiresIn');
        expect(await expiryOf(signalbox, { expiresAt: after(longest + 0.001) })).toBe('input.expiresAt');
      }
    }
    expect(await expiryOfUpdated(signalbox, { expiresAt: null })).toBe(
      isUnlimited ? null : 'input.expiresAt',
    );
  },
);

test('an error states the maximum lifetime, and existing tokens keep their expiry, when maxLifetimeSeconds is set', async () => {
  const clock = createManualClock(NOW);
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox);
  await changeSettings(signalbox, { maxLifetimeSeconds: 90 });
  const answers: Answer[] = [
    await signalbox.ask(CREATE, { input: { expiresIn: 91 } }),
    await signalbox.ask(UPDATE, { id, input: { expiresAt: null } }),
  ];
  for (const { errors } of answers) {
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', retryable: false } }]);
    expect(errors?.[0]?.message).toContain('at most 90 seconds');
  }
  expect((await signalbox.ask(UPDATE, { id, input: { role: 'GUEST' } })).data.token.expiresAt).toBeNull();
  await clock.advance(91_000);
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, credential))).toBeUndefined();
});

/** Presents a credential that an API key signed. Resolves to the token's expiry, or to the error code and message. */
async function expiryOfSigned({ ask }: ServiceClient, claims: JWTPayload): Promise<unknown> {
  const credential = forge(
    { alg: 'HS256', kid: API_KEY.split('.')[0] },
    { sub: 'ada', ...claims },
    signingSecretOf(API_KEY),
  );
  const { data, errors } = await ask(`{ viewer { token { expiresAt } } }`, {}, credential);
  if (!errors) return data.viewer.token.expiresAt;
  return `${codeOf({ errors }) as string}: ${errors[0]!.message}`;
}

const LIMITED = { defaultLifetimeSeconds: 60, maxLifetimeSeconds: 90 };
const TOO_LONG = /^UNAUTHENTICATED: .*lifetime is 91 seconds, and this project allows at most 90/;
const UNKNOWN = /^UNAUTHENTICATED: .*neither “iat” nor “exp”/;

test.for([
  ['exp', LIMITED, { iat: 0, exp: 90 }, 90],
  ['exp, counted from iat', LIMITED, { iat: -50, exp: 40 }, 40],
  ['exp, counted from now without iat', LIMITED, { exp: 90 }, 90],
  ['exp beyond the maximum', LIMITED, { iat: 0, exp: 91 }, TOO_LONG],
  ['exp beyond the maximum, counted from an earlier iat', LIMITED, { iat: -50, exp: 41 }, TOO_LONG],
  ['exp beyond the maximum, counted from now', LIMITED, { exp: 91 }, TOO_LONG],
  ['the default, counted from iat', LIMITED, { iat: -50 }, 10],
  ['the default, which has passed', LIMITED, { iat: -60 }, /^TOKEN_EXPIRED/],
  ['neither iat nor exp', LIMITED, {}, UNKNOWN],
  ['the maximum, without a default', { maxLifetimeSeconds: 90 }, { iat: 0 }, 90],
  ['neither iat nor exp, with a maximum only', { maxLifetimeSeconds: 90 }, {}, UNKNOWN],
  ['neither iat nor exp, with a default only', { defaultLifetimeSeconds: 60 }, {}, UNKNOWN],
  ['exp far ahead, without a maximum', { defaultLifetimeSeconds: 60 }, { iat: 0, exp: 99 * DAY }, 99 * DAY],
  ['no expiry, with the lifetimes of Stream', { lifetimes: 'STREAM' }, {}, null],
  ['an hour, with the lifetimes of Twilio', { lifetimes: 'TWILIO' }, { iat: 0 }, 3600],
  ['a day, with the lifetimes of OpenTok', { lifetimes: 'OPENTOK' }, { iat: 0 }, DAY],
] as const)('the expiry of a self-minted credential is: %s', async ([, settings, times, expected]) => {
  await using signalbox = await startService({}, { clock: createManualClock(NOW) });
  await changeSettings(signalbox, settings);
  const claims = Object.fromEntries(Object.entries(times).map(([name, at]) => [name, NOW_SECONDS + at]));
  const found = await expiryOfSigned(signalbox, claims);
  if (expected instanceof RegExp) expect(found).toMatch(expected);
  else expect(found).toBe(expected === null ? null : after(expected));
});

test('delivers TokenExpiring as early as the project’s expiryWarningSeconds, else that of the service', async () => {
  const clock = createManualClock(NOW);
  await using signalbox = await startService({ expiryWarningSeconds: 100, ...LONG_INTERVALS }, { clock });
  const other = await createProject(signalbox, 'other');
  const events = `subscription { events { __typename ... on TokenExpiring { expiresAt } ... on DirectMessage { message { event } } } }`;
  const connect = async (api: ServiceClient) => {
    const { id, credential } = await mint(api, { expiresIn: 600 });
    const stream = queueResults(signalbox.client({ token: credential }), events);
    await stream.next();
    return { api, id, stream };
  };
  await changeSettings(signalbox, { expiryWarningSeconds: 30 });
  const warnedLate = await connect(signalbox);
  const warnedEarly = await connect(other);
  const silent = await createProject(signalbox, 'silent');
  await changeSettings(silent, { expiryWarningSeconds: 0 });
  const unwarned = await connect(silent);
  const expiring = { __typename: 'TokenExpiring', expiresAt: after(600) };
  for (const [at, connection] of [
    [500, warnedEarly],
    [570, warnedLate],
  ] as const) {
    await clock.advance(NOW + at * 1000 - 1 - clock.now());
    await sendDirect(connection.api, connection.id, 'before');
    await clock.advance(1);
    expect((await connection.stream.next()).events).toMatchObject({ message: { event: 'before' } });
    expect((await connection.stream.next()).events).toEqual(expiring);
  }
  await sendDirect(silent, unwarned.id, 'sentinel');
  expect((await unwarned.stream.next()).events).toMatchObject({ message: { event: 'sentinel' } });

  // A change of the setting applies to live connections.
  await changeSettings(silent, { expiryWarningSeconds: null });
  await clock.advance(0);
  expect((await unwarned.stream.next()).events).toEqual(expiring);
});
