import { expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  mint,
  publish,
  revokeToken,
  updateToken,
  sendDirect,
} from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { startService } from '../support/service.ts';

const EVENTS = `subscription { events {
  __typename
  ... on TokenExpiring { expiresAt }
  ... on DirectMessage { message { event } }
  ... on Disconnecting { reason }
} }`;
const VIEWER = `{ viewer { kind } }`;

const DAY_SECONDS = 86_400;
/** Long intervals of presence and retention, so that a test of a month runs in little time. */
const LONG_INTERVALS = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

const next = async (events: ResultQueue<any>) => (await events.next()).events;

async function codeOf(
  answer: Promise<{ errors?: { extensions: Record<string, unknown> }[] }>,
): Promise<unknown> {
  return (await answer).errors?.[0]?.extensions['code'];
}

test.for([60, 30 * DAY_SECONDS])(
  'closes the sockets of a token of %i seconds with 4403 and refuses its credential when it expires',
  // A month has 260,000 steps of the statistics.
  { timeout: 300_000 },
  async (expiresIn) => {
    const clock = createManualClock();
    await using signalbox = await startService({ expiryWarningSeconds: 0, ...LONG_INTERVALS }, { clock });
    const { id, credential } = await mint(signalbox, { expiresIn });
    const events = queueResults(signalbox.client({ token: credential }), EVENTS);
    await events.next();
    await clock.advance(expiresIn * 1000 - 1);
    expect(await isOnline(signalbox, id)).toBe(true);
    expect(await sendDirect(signalbox, id, 'just-in-time')).toBe(1);
    expect((await signalbox.request(VIEWER, {}, credential)).viewer.kind).toBe('TOKEN');

    await clock.advance(1);
    expect(await isOnline(signalbox, id)).toBe(false);
    expect(await next(events)).toMatchObject({ message: { event: 'just-in-time' } });
    expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
    expect(await events.ended).toMatchObject({ code: 4403, reason: 'The token has expired.' });
    expect(await codeOf(signalbox.ask(VIEWER, {}, credential))).toBe('TOKEN_EXPIRED');
    expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
      code: 4403,
    });
  },
);

test('delivers TokenExpiring 180 seconds before the token expires', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox, { expiresIn: 600 });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  await events.next();
  await clock.advance(420_000 - 1);
  await sendDirect(signalbox, id, 'before');
  await clock.advance(1);
  await sendDirect(signalbox, id, 'after');
  expect(await next(events)).toMatchObject({ message: { event: 'before' } });
  const expiring = { __typename: 'TokenExpiring', expiresAt: '2030-01-01T00:10:00.000Z' };
  expect(await next(events)).toEqual(expiring);
  expect(await next(events)).toMatchObject({ message: { event: 'after' } });

  // A later subscription gets the warning at once.
  const late = queueResults(client, EVENTS);
  expect(await next(late)).toEqual({ __typename: 'Connected' });
  expect(await next(late)).toEqual(expiring);
});

test('delivers TokenExpiring on connect when the token expires in less than 180 seconds', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const { credential } = await mint(signalbox, { expiresIn: 30 });
  const events = queueResults(signalbox.client({ token: credential }), EVENTS);
  expect(await next(events)).toEqual({ __typename: 'Connected' });
  await clock.advance(0);
  expect(await next(events)).toEqual({ __typename: 'TokenExpiring', expiresAt: '2030-01-01T00:00:30.000Z' });
});

test('a live socket closes at the new expiry when updateToken moves the expiry later or earlier', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const events = queueResults(
    signalbox.client({ token: credential }),
    `subscription { events { __typename } }`,
  );
  await events.next();
  await updateToken(signalbox, id, { expiresIn: 600 });
  await clock.advance(60_000);
  expect(await isOnline(signalbox, id)).toBe(true);
  await updateToken(signalbox, id, { expiresIn: 5 });
  await clock.advance(4999);
  expect(await isOnline(signalbox, id)).toBe(true);
  await clock.advance(1);
  expect(await isOnline(signalbox, id)).toBe(false);
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('delivers nothing to an expired token when the timer that closes its socket fires late', async () => {
  const clock = createManualClock();
  let lateMs = 0;
  const lateClock = { ...clock, now: () => clock.now() + lateMs, at: clock.at.bind(clock) };
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock: lateClock });
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox, { expiresIn: 60, channels: ['news'] });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  await events.next();
  const messages = queueResults(client, `subscription { messages(channel: "news") { event } }`);
  await publish(signalbox, 'news', 'in-time');
  expect((await messages.next()).messages.event).toBe('in-time');
  await events.next();

  lateMs = 60_000;
  expect(await publish(signalbox, 'news', 'too-late')).toBe(0);
  expect(await sendDirect(signalbox, id, 'too-late')).toBe(0);
  await clock.advance(60_000);
  expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
  expect(await messages.ended).toMatchObject({ code: 4403 });
  expect(messages.waiting).toEqual([]);
});

const REAUTHENTICATE = `mutation ($credential: String!) { reauthenticate(credential: $credential) { kind token { id expiresAt } } }`;
const RENEW = `mutation ($id: ID!) { createCredential(token: $id) { credential } }`;

test('keeps the subscriptions of a socket past the old expiry when the socket re-authenticates', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox, { expiresIn: 200 });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  await events.next();
  await clock.advance(20_000);
  expect((await next(events)).__typename).toBe('TokenExpiring');
  await updateToken(signalbox, id, { expiresIn: 1000 });
  expect((await next(events)).__typename).toBe('TokenUpdated');
  const renewed = (await signalbox.request(RENEW, { id })).createCredential.credential;
  expect(await queueResults(client, REAUTHENTICATE, { credential: renewed }).next()).toEqual({
    reauthenticate: { kind: 'TOKEN', token: { id, expiresAt: '2030-01-01T00:17:00.000Z' } },
  });
  await clock.advance(800_000);
  expect(await codeOf(signalbox.ask(VIEWER, {}, credential))).toBe('TOKEN_EXPIRED');
  expect((await signalbox.request(VIEWER, {}, renewed)).viewer.kind).toBe('TOKEN');
  await sendDirect(signalbox, id, 'still-here');
  expect(await next(events)).toMatchObject({ message: { event: 'still-here' } });
  await clock.advance(200_000);
  await events.until((event) => event.events.reason === 'TOKEN_EXPIRED');
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('reauthenticate accepts a credential of the same token only, and keeps the socket open when it refuses', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const [ada, bob, short] = [
    await mint(signalbox),
    await mint(signalbox),
    await mint(signalbox, { expiresIn: 1 }),
  ];
  await clock.advance(1000);
  await revokeToken(signalbox, bob.id);
  const other = await mint(signalbox);
  const client = signalbox.client({ token: ada.credential });
  const events = queueResults(client, EVENTS);
  await events.next();
  const refusals = [
    [other.credential, 'FORBIDDEN'],
    [bob.credential, 'TOKEN_REVOKED'],
    [short.credential, 'TOKEN_EXPIRED'],
    [signalbox.apiKey, 'UNAUTHENTICATED'],
    ['made.up.credential', 'UNAUTHENTICATED'],
  ];
  for (const [credential, code] of refusals) {
    expect(await queueResults(client, REAUTHENTICATE, { credential }).ended).toMatchObject([
      { extensions: { code } },
    ]);
  }
  for (const params of [{}, { apiKey: signalbox.apiKey }]) {
    const refused = queueResults(signalbox.client(params), REAUTHENTICATE, { credential: other.credential });
    expect(await refused.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
  expect(await codeOf(signalbox.ask(REAUTHENTICATE, { credential: ada.credential }, ada.credential))).toBe(
    'BAD_USER_INPUT',
  );
  await sendDirect(signalbox, ada.id, 'still-here');
  expect(await next(events)).toMatchObject({ message: { event: 'still-here' } });
});
