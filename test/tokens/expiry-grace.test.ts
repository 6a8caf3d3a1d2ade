import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, publish, updateToken, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { changeSettings, codeOf } from '../support/projects.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const EVENTS = `subscription { events {
  __typename
  ... on TokenExpiring { expiresAt }
  ... on ChannelMessage { message { event } }
  ... on DirectMessage { message { event } }
  ... on Disconnecting { reason }
} }`;
const VIEWER = `{ viewer { kind } }`;
const PUBLISH = `mutation { publishMessage(channel: "news", event: "own") { repeated } }`;
const REAUTHENTICATE = `mutation ($credential: String!) { reauthenticate(credential: $credential) { kind } }`;
const EXPIRED = { __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' };

const next = async (events: ResultQueue<any>) => (await events.next()).events;

/** Starts a service with an `expiryGraceSeconds` of 30 and the channel `news`. */
async function start(config: object = { expiryWarningSeconds: 0 }) {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  const signalbox = await startService(config, { clock });
  await changeSettings(signalbox, { expiryGraceSeconds: 30 });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  return { signalbox, clock };
}

/** Expects that every transport refuses the credential with TOKEN_EXPIRED. */
async function expectRefused(api: ServiceClient, credential: string): Promise<void> {
  expect(codeOf(await api.ask(VIEWER, {}, credential))).toBe('TOKEN_EXPIRED');
  expect(await queueResults(api.client({ token: credential }), EVENTS).ended).toMatchObject({ code: 4403 });
  expect(await queueResults(sseClient(api, credential), EVENTS).ended).toMatchObject([
    { extensions: { code: 'TOKEN_EXPIRED' } },
  ]);
}

test('during the grace period, a live connection receives and publishes, and new connections are refused', async () => {
  const { signalbox, clock } = await start();
  await using _ = signalbox;
  const { id, credential } = await mint(signalbox, { expiresIn: 60, channels: ['news'] });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  const sseEvents = queueResults(sseClient(signalbox, credential), EVENTS);
  for (const stream of [events, sseEvents]) expect(await next(stream)).toEqual({ __typename: 'Connected' });
  await clock.advance(60_000);
  await expectRefused(signalbox, credential);
  expect(await publish(signalbox, 'news', 'in-the-grace')).toBe(2);
  expect(await queueResults(client, PUBLISH).next()).toEqual({ publishMessage: { repeated: false } });
  await clock.advance(29_999);
  expect(await isOnline(signalbox, id)).toBe(true);
  expect(await sendDirect(signalbox, id, 'last')).toBe(2);
  await clock.advance(1);
  expect(await isOnline(signalbox, id)).toBe(false);
  expect(await publish(signalbox, 'news', 'too-late')).toBe(0);
  for (const stream of [events, sseEvents]) {
    for (const event of ['in-the-grace', 'own', 'last'])
      expect(await next(stream)).toMatchObject({ message: { event } });
    expect(await next(stream)).toEqual(EXPIRED);
  }
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await sseEvents.ended).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED' } }]);
});

test('keeps the connection when it re-authenticates during the grace period, but not with the expired credential', async () => {
  const { signalbox, clock } = await start();
  await using _ = signalbox;
  const sign = (exp: number) => {
    const claims = { sub: 'ada', channels: ['news'], iat: clock.now() / 1000, exp: clock.now() / 1000 + exp };
    return forge({ alg: 'HS256', kid: API_KEY.split('.')[0] }, claims, signingSecretOf(API_KEY));
  };
  const first = sign(60);
  const client = signalbox.client({ token: first });
  const events = queueResults(client, EVENTS);
  await events.next();
  await clock.advance(89_999);
  expect(await queueResults(client, REAUTHENTICATE, { credential: first }).ended).toMatchObject([
    { extensions: { code: 'TOKEN_EXPIRED' } },
  ]);
  const second = sign(60);
  expect(await queueResults(client, REAUTHENTICATE, { credential: second }).next()).toBeTruthy();
  await clock.advance(60_000);
  expect(await publish(signalbox, 'news', 'in-the-next-grace')).toBe(1);
  await clock.advance(29_999);
  expect(await publish(signalbox, 'news', 'last')).toBe(1);
  await clock.advance(1);
  expect(await next(events)).toMatchObject({ message: { event: 'in-the-next-grace' } });
  expect(await next(events)).toMatchObject({ message: { event: 'last' } });
  expect(await next(events)).toEqual(EXPIRED);
  await expectRefused(signalbox, second);
});

test('keeps the connections of a token and mints credentials again when updateToken extends it during the grace period', async () => {
  const { signalbox, clock } = await start();
  await using _ = signalbox;
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const events = queueResults(signalbox.client({ token: credential }), EVENTS);
  await events.next();
  await clock.advance(70_000);
  const createCredential = `mutation ($id: ID!) { createCredential(token: $id) { credential } }`;
  expect(codeOf(await signalbox.ask(createCredential, { id }))).toBe('TOKEN_EXPIRED');
  await updateToken(signalbox, id, { expiresIn: 60 });
  expect(codeOf(await signalbox.ask(createCredential, { id }))).toBeUndefined();
  await clock.advance(60_000);
  expect(await isOnline(signalbox, id)).toBe(true);
  await clock.advance(30_000);
  expect(await isOnline(signalbox, id)).toBe(false);
});

test('TokenExpiring states the expiry of the token, not the end of the grace period, to early and late subscriptions', async () => {
  const { signalbox, clock } = await start({ expiryWarningSeconds: 10 });
  await using _ = signalbox;
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const client = signalbox.client({ token: credential });
  const early = queueResults(client, EVENTS);
  await early.next();
  await clock.advance(50_000);
  const expiring = { __typename: 'TokenExpiring', expiresAt: '2030-01-01T00:01:00.000Z' };
  expect(await next(early)).toEqual(expiring);
  const late = queueResults(client, EVENTS);
  expect(await next(late)).toEqual({ __typename: 'Connected' });
  expect(await next(late)).toEqual(expiring);

  // A change of the settings does not repeat the warning.
  await changeSettings(signalbox, { publishersSignal: true });
  await clock.advance(0);
  await sendDirect(signalbox, id, 'sentinel');
  for (const stream of [early, late])
    expect(await next(stream)).toMatchObject({ message: { event: 'sentinel' } });
});

test('a live connection stays open when expiryGraceSeconds is raised, and closes when it is set to 0', async () => {
  const { signalbox, clock } = await start();
  await using _ = signalbox;
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const events = queueResults(signalbox.client({ token: credential }), EVENTS);
  await events.next();
  await clock.advance(80_000);
  await changeSettings(signalbox, { expiryGraceSeconds: 60 });
  await clock.advance(20_000);
  expect(await sendDirect(signalbox, id, 'longer')).toBe(1);
  await changeSettings(signalbox, { expiryGraceSeconds: 0 });
  expect(await sendDirect(signalbox, id, 'over')).toBe(0);
  await clock.advance(0);
  expect(await next(events)).toMatchObject({ message: { event: 'longer' } });
  expect(await next(events)).toEqual(EXPIRED);
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('closes at once, without a grace period, when the token is revoked or the signing key expires', async () => {
  const { signalbox, clock } = await start();
  await using _ = signalbox;
  const revoked = await mint(signalbox, { expiresIn: 60 });
  const { createApiKey } = await signalbox.request(
    `mutation { createApiKey(canSign: true) { secret apiKey { id } } }`,
  );
  const { id: kid } = createApiKey.apiKey;
  const credentials = [
    revoked.credential,
    forge({ alg: 'HS256', kid }, { sub: 'ada' }, signingSecretOf(createApiKey.secret)),
  ];
  const [one, other] = credentials.map((token) => queueResults(signalbox.client({ token }), EVENTS));
  for (const events of [one, other]) expect(await next(events!)).toEqual({ __typename: 'Connected' });
  await signalbox.request(`mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 70) { secret } }`, {
    id: kid,
  });
  await clock.advance(70_000 - 1);
  await signalbox.request(`mutation ($id: ID!) { revokeToken(id: $id) { id } }`, { id: revoked.id });
  expect(await one!.ended).toMatchObject({ code: 4403 });
  const publishDirect = `mutation ($e: String!) { publishDirectMessage(identity: "ada", event: $e) { connections } }`;
  expect((await signalbox.request(publishDirect, { e: 'before' })).publishDirectMessage.connections).toBe(1);
  await clock.advance(1);
  expect((await signalbox.request(publishDirect, { e: 'after' })).publishDirectMessage.connections).toBe(0);
  expect(await next(other!)).toMatchObject({ message: { event: 'before' } });
  expect((await next(other!)).__typename).toBe('Disconnecting');
});
