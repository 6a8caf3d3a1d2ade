import { type JWTPayload } from 'jose';
import { expect, test } from 'vitest';
import { mint, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { forge } from '../support/forge.ts';
import { API_KEY, startService, type Answer, type ServiceClient } from '../support/service.ts';

const DAY = 86_400;
const NOW = Date.UTC(2030, 0, 1);
const NOW_SECONDS = NOW / 1000;
const SELDOM = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

const after = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

const CREATE = `mutation ($input: CreateTokenInput) { token: createToken(input: $input) { token { expiresAt } } }`;
const UPDATE = `mutation ($id: ID!, $input: UpdateTokenInput!) { token: updateToken(id: $id, input: $input) { expiresAt } }`;

/** When a token ends that a backend makes so, or the field that is refused. */
async function endOfNew({ ask }: ServiceClient, input?: object): Promise<unknown> {
  const { data, errors } = await ask(CREATE, { input });
  return errors?.[0]?.extensions['field'] ?? data.token.token.expiresAt;
}

async function endOfChanged(doors: ServiceClient, input: object): Promise<unknown> {
  const { id } = await mint(doors);
  const { data, errors } = await doors.ask(UPDATE, { id, input });
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
] as const)('with %o a token lives %d seconds, and %d at most', async ([settings, usual, longest]) => {
  await using signalbox = await startService({}, { clock: createManualClock(NOW) });
  await changeSettings(signalbox, settings);
  const byDefault = usual === null ? null : after(usual);
  expect(await endOfNew(signalbox)).toBe(byDefault);
  expect(await endOfChanged(signalbox, { state: 1 })).toBe(byDefault);
  const isEndless = longest === Infinity;
  const most = isEndless ? 50 * 366 * DAY : longest;
  for (const endOf of [endOfNew, endOfChanged]) {
    expect(await endOf(signalbox, { expiresIn: most })).toBe(after(most));
    expect(await endOf(signalbox, { expiresAt: after(most) })).toBe(after(most));
    if (isEndless)
      expect(await endOf(signalbox, { expiresAt: after(100 * 366 * DAY + 1) })).toBe('input.expiresAt');
    else {
      expect(await endOf(signalbox, { expiresIn: most + 1 })).toBe('input.expiresIn');
      expect(await endOf(signalbox, { expiresAt: after(most + 0.001) })).toBe('input.expiresAt');
    }
  }
  expect(await endOfChanged(signalbox, { expiresAt: null })).toBe(isEndless ? null : 'input.expiresAt');
});

test('a refusal says how long a token may live; tokens made before keep their end', async () => {
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

/** Signs for itself, and asks when that ends: a moment, null, or why it is refused. */
async function endOfSigned({ ask }: ServiceClient, claims: JWTPayload): Promise<unknown> {
  const credential = forge({ alg: 'HS256', kid: API_KEY.split('.')[0] }, { sub: 'ada', ...claims }, API_KEY);
  const { data, errors } = await ask(`{ viewer { token { expiresAt } } }`, {}, credential);
  if (!errors) return data.viewer.token.expiresAt;
  return `${codeOf({ errors }) as string}: ${errors[0]!.message}`;
}

const LIMITED = { defaultLifetimeSeconds: 60, maxLifetimeSeconds: 90 };
const TOO_LONG = /^UNAUTHENTICATED: .*lives 91 seconds, and in this project at most 90 are allowed/;
const ENDLESS = /^UNAUTHENTICATED: .*neither when it was issued nor when it ends/;

test.for([
  ['what it says', LIMITED, { iat: 0, exp: 90 }, 90],
  ['what it says, from when it was issued', LIMITED, { iat: -50, exp: 40 }, 40],
  ['what it says, from now where it does not say when it was issued', LIMITED, { exp: 90 }, 90],
  ['too long', LIMITED, { iat: 0, exp: 91 }, TOO_LONG],
  ['too long, though it was issued before', LIMITED, { iat: -50, exp: 41 }, TOO_LONG],
  ['too long from now on', LIMITED, { exp: 91 }, TOO_LONG],
  ['the default from when it was issued', LIMITED, { iat: -50 }, 10],
  ['no longer', LIMITED, { iat: -60 }, /^TOKEN_EXPIRED/],
  ['nobody knows how long', LIMITED, {}, ENDLESS],
  ['the longest where there is no default', { maxLifetimeSeconds: 90 }, { iat: 0 }, 90],
  ['nobody knows how long with a longest only', { maxLifetimeSeconds: 90 }, {}, ENDLESS],
  ['nobody knows how long with a default only', { defaultLifetimeSeconds: 60 }, {}, ENDLESS],
  [
    'as long as it likes where there is no longest',
    { defaultLifetimeSeconds: 60 },
    { iat: 0, exp: 99 * DAY },
    99 * DAY,
  ],
  ['for ever, as with Stream', { lifetimes: 'STREAM' }, {}, null],
  ['an hour, as with Twilio', { lifetimes: 'TWILIO' }, { iat: 0 }, 3600],
  ['a day, as with OpenTok', { lifetimes: 'OPENTOK' }, { iat: 0 }, DAY],
] as const)('a self-minted credential lives: %s', async ([, settings, times, end]) => {
  await using signalbox = await startService({}, { clock: createManualClock(NOW) });
  await changeSettings(signalbox, settings);
  const claims = Object.fromEntries(Object.entries(times).map(([name, at]) => [name, NOW_SECONDS + at]));
  const found = await endOfSigned(signalbox, claims);
  if (end instanceof RegExp) expect(found).toMatch(end);
  else expect(found).toBe(end === null ? null : after(end));
});

test('a token is told of its end as long before as its project says, or else the service', async () => {
  const clock = createManualClock(NOW);
  await using signalbox = await startService({ expiryWarningSeconds: 100, ...SELDOM }, { clock });
  const other = await createProject(signalbox, 'other');
  const events = `subscription { events { __typename ... on TokenExpiring { expiresAt } ... on DirectMessage { message { event } } } }`;
  const connect = async (doors: ServiceClient) => {
    const { id, credential } = await mint(doors, { expiresIn: 600 });
    const stream = queueResults(signalbox.client({ token: credential }), events);
    await stream.next();
    return { doors, id, stream };
  };
  await changeSettings(signalbox, { expiryWarningSeconds: 30 });
  const mine = await connect(signalbox);
  const theirs = await connect(other);
  const silent = await createProject(signalbox, 'silent');
  await changeSettings(silent, { expiryWarningSeconds: 0 });
  const never = await connect(silent);
  const expiring = { __typename: 'TokenExpiring', expiresAt: after(600) };
  for (const [at, who] of [
    [500, theirs],
    [570, mine],
  ] as const) {
    await clock.advance(NOW + at * 1000 - 1 - clock.now());
    await sendDirect(who.doors, who.id, 'before');
    await clock.advance(1);
    expect((await who.stream.next()).events).toMatchObject({ message: { event: 'before' } });
    expect((await who.stream.next()).events).toEqual(expiring);
  }
  await sendDirect(silent, never.id, 'sentinel');
  expect((await never.stream.next()).events).toMatchObject({ message: { event: 'sentinel' } });

  // A live connection feels a change of the setting too.
  await changeSettings(silent, { expiryWarningSeconds: null });
  await clock.advance(0);
  expect((await never.stream.next()).events).toEqual(expiring);
});
