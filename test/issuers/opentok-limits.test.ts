import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { forge } from '../support/forge.ts';
import {
  createIssuer,
  createSystemClock,
  refusalCodeOf,
  EVENTS,
  mintOpentok,
  OPENTOK,
  refusalMessageOf,
  opentokSessionId,
  tokenOf,
} from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

let clock: ManualClock & Disposable;
beforeEach(() => void (clock = createSystemClock()));
afterEach(() => clock[Symbol.dispose]());

const DAY = 86_400;
const SESSION = opentokSessionId('lesson');
const LAYOUTS = ['JWT', 'T1'] as const;
const next = async (events: ResultQueue<any>) => (await events.next()).events;

test('refuses connection data of more than 1,000 characters, which npm opentok allows up to 1,024', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  for (const layout of LAYOUTS) {
    const dataOf = (length: number) => mintOpentok(SESSION, { data: 'x'.repeat(length) }, { layout });
    expect((await tokenOf(signalbox, dataOf(1000))).connectionData).toHaveLength(1000);
    expect(await refusalMessageOf(signalbox, dataOf(1001))).toContain(
      'has 1001 characters; at most 1000 are allowed',
    );
  }
});

test('an OpenTok token lives one day by default and 30 days at most', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  const seconds = clock.now() / 1000;
  for (const layout of LAYOUTS) {
    const mintForDays = (days: number, more = 0) =>
      mintOpentok(SESSION, { expireTime: seconds + days * DAY + more }, { layout });
    expect(await tokenOf(signalbox, mintOpentok(SESSION, {}, { layout }))).toMatchObject({
      expiresAt: '2030-01-02T00:00:00.000Z',
    });
    expect((await tokenOf(signalbox, mintForDays(30))).expiresAt).toBe('2030-01-31T00:00:00.000Z');
    expect(await refusalCodeOf(signalbox, mintForDays(30, 1))).toBe('UNAUTHENTICATED');
    expect(await refusalMessageOf(signalbox, mintForDays(30, 1))).toContain('at most 2592000 are allowed');
  }
  const short = mintOpentok(SESSION, { expireTime: seconds + 60 });
  const events = queueResults(signalbox.client({ token: short }), EVENTS);
  expect((await next(events)).__typename).toBe('Connected');
  await clock.advance(60_000);
  await events.until(({ events }) => events.reason === 'TOKEN_EXPIRED');
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, short)).toBe('TOKEN_EXPIRED');
});

test('refuses a REST API token and a token for a session of another API key, though the same secret signs them', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  const seconds = clock.now() / 1000;
  const rest = { iss: OPENTOK.key.id, ist: 'project', iat: seconds, exp: seconds + 300 };
  const foreign = {
    ...rest,
    scope: 'session.connect',
    session_id: opentokSessionId('lesson', '654321'),
    create_time: seconds,
  };
  for (const payload of [rest, foreign]) {
    const credential = forge({ alg: 'HS256', typ: 'JWT' }, payload, OPENTOK.key.secret);
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
    expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
      code: 4401,
    });
  }
  expect(await signalbox.request(`{ tokens { nodes { id } } channels { nodes { id } } }`)).toEqual({
    tokens: { nodes: [] },
    channels: { nodes: [] },
  });
});
