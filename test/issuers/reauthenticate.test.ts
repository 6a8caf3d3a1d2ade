import { expect, test } from 'vitest';
import { type Client } from 'graphql-ws';
import { createChannel, isOnline, publish, roundTrip, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { revoke } from '../support/revocation.ts';
import {
  createApiKey,
  createIssuer,
  EVENTS,
  sign,
  signingKeyOf,
  STREAM,
  stream,
} from '../support/external-credentials.ts';
import { API_KEY, startService } from '../support/service.ts';

const KEY = signingKeyOf(API_KEY);
const REAUTHENTICATE = `mutation ($credential: String!) { reauthenticate(credential: $credential) {
  connection { id } token { id role connectionData expiresAt } allowedActions(channel: "room")
} }`;
const STATUS = `{ viewer {
  project connection { id connectionData } token { id role connectionData expiresAt grants { channels } }
  allowedActions(channel: "room")
} }`;

const reauthenticate = (client: Client, credential: string) =>
  queueResults(client, REAUTHENTICATE, { credential });
const statusOf = async (client: Client) => (await queueResults(client, STATUS).next()).viewer;

async function codeOf(client: Client, credential: string): Promise<string> {
  const [error] = (await reauthenticate(client, credential).ended) as { extensions: { code: string } }[];
  return error!.extensions.code;
}

test('applies the role, grants, data and expiry of a newer credential of the same user at once', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  for (const id of ['room', 'hall']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const seconds = clock.now() / 1000;
  const claims = { sub: 'ada', channels: ['room', 'hall'], iat: seconds };
  const client = signalbox.client({
    token: await sign(KEY, { ...claims, role: 'SUBSCRIBER', data: 'Ada', exp: seconds + 60 }),
  });
  const events = queueResults(client, EVENTS);
  const { token, connection } = (await events.next()).events;
  const observer = signalbox.client();
  const presence = queueResults(
    observer,
    `subscription { presence(channel: "room") { change member { id connectionData } } }`,
  );
  await roundTrip(observer);

  const grants = [{ channels: 'room', actions: ['SUBSCRIBE', 'PUBLISH', 'MODERATE'] }];
  const renewed = await sign(KEY, {
    ...claims,
    role: 'MODERATOR',
    data: 'Ada, on duty',
    grants,
    exp: seconds + 600,
  });
  const expiresAt = '2030-01-01T00:10:00.000Z';
  const shown = { id: token.id, role: 'MODERATOR', connectionData: 'Ada, on duty', expiresAt };
  expect(await reauthenticate(client, renewed).next()).toEqual({
    reauthenticate: { connection, token: shown, allowedActions: ['SUBSCRIBE', 'PUBLISH', 'MODERATE'] },
  });
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  expect(await publish(signalbox, 'room', 'delivered')).toBe(1);
  expect((await events.next()).events).toMatchObject({
    __typename: 'ChannelUnavailable',
    channel: { id: 'hall' },
  });
  expect((await events.next()).events).toEqual({ __typename: 'TokenUpdated', token: shown });
  expect((await events.next()).events).toMatchObject({ message: { event: 'delivered' } });
  expect((await presence.next()).presence).toEqual({
    change: 'UPDATED',
    member: { id: connection.id, connectionData: 'Ada, on duty' },
  });

  await clock.advance(600_000 - 1);
  expect(await isOnline(signalbox, token.id)).toBe(true);
  await clock.advance(1);
  expect((await events.next()).events).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('ends subscriptions that the new credential does not allow, at once', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const client = signalbox.client({ token: await sign(KEY, { sub: 'ada', role: 'MODERATOR' }) });
  queueResults(client, EVENTS);
  const messages = queueResults(client, `subscription { messages(channel: "room") { event } }`);
  await roundTrip(client);
  await reauthenticate(client, await sign(KEY, { sub: 'ada', role: 'MODERATOR', grants: [] })).next();
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect((await statusOf(client)).allowedActions).toEqual([]);
});

test('leaves the other connections of the user unchanged', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const old = await sign(KEY, { sub: 'ada', role: 'MODERATOR', data: 'desk' });
  const clients = [signalbox.client({ token: old }), signalbox.client({ token: old })] as const;
  for (const client of clients) queueResults(client, EVENTS);
  const before = await statusOf(clients[0]);
  await reauthenticate(clients[1], await sign(KEY, { sub: 'ada', role: 'SUBSCRIBER', data: 'phone' })).next();
  expect(await statusOf(clients[0])).toEqual(before);
  expect(await statusOf(clients[1])).toMatchObject({
    connection: { connectionData: 'phone' },
    token: { id: before.token.id, role: 'SUBSCRIBER' },
    allowedActions: ['SUBSCRIBE', 'PRESENCE'],
  });
});

test('refuses a credential of another user or issuer or an invalid one, and changes nothing', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  await createIssuer(signalbox, STREAM);
  await signalbox.request(`mutation { createProject(input: { id: "other" }) { secret } }`);
  const otherKey = await createApiKey(signalbox);
  const keyOfOtherProject = await createApiKey(signalbox, { canSign: true, project: 'other' });
  const seconds = clock.now() / 1000;
  const claims = { sub: 'ada', iat: seconds, exp: seconds + 6000 };
  const client = signalbox.client({
    token: await sign(KEY, { ...claims, role: 'SUBSCRIBER', data: 'Ada', channels: ['room'] }),
  });
  const events = queueResults(client, EVENTS);
  const { token } = (await events.next()).events;
  await revoke(signalbox, { identity: 'ada' }, clock.now() - 1000);
  const before = await statusOf(client);

  const more = { ...claims, role: 'MODERATOR', data: 'Eve' };
  const refusals: [string, string][] = [
    [await sign(KEY, { ...more, sub: 'eve' }), 'FORBIDDEN'],
    [await sign(otherKey, more), 'FORBIDDEN'],
    [stream.createToken('ada', undefined, seconds), 'FORBIDDEN'],
    [await sign(keyOfOtherProject, more), 'UNAUTHENTICATED'],
    [await sign({ ...KEY, secret: 'another secret' }, more), 'UNAUTHENTICATED'],
    [await sign(KEY, { ...more, exp: seconds }), 'TOKEN_EXPIRED'],
    [await sign(KEY, { ...more, iat: seconds - 2 }), 'TOKEN_REVOKED'],
    [await sign(KEY, { ...more, role: 'unknown' }), 'UNAUTHENTICATED'],
    [API_KEY, 'UNAUTHENTICATED'],
  ];
  for (const [credential, code] of refusals) {
    expect(await codeOf(client, credential)).toBe(code);
    expect(await statusOf(client)).toEqual(before);
  }
  await sendDirect(signalbox, token.id, 'sentinel');
  expect((await events.next()).events).toMatchObject({ message: { event: 'sentinel' } });
  await clock.advance(6000 * 1000);
  await events.until(({ events }) => events.reason === 'TOKEN_EXPIRED');
});
