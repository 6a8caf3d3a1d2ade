import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startService } from '../../../test/support/service.ts';
import { type BroadcastChannelLike } from '../src/tabs/environment.ts';
import { createFollowerPort } from '../src/tabs/follower-port.ts';
import { groupOf } from '../src/tabs/group.ts';
import { createMultiplexer, type Port, type SocketLike } from '../src/tabs/multiplexer.ts';
import { createChannel, createMember, eventually } from './support/client.ts';

const URL_OF_SERVICE = 'wss://realtime.example/graphql';
const jwtOf = (claims: object, header: object = { alg: 'HS256', kid: 'key_1' }) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
  '.c2lnbmVk';
const groupOfToken = (token: string, more = {}) => groupOf(URL_OF_SERVICE, { token, ...more });

test('tabs share if their credentials differ in nothing but their times and ids', () => {
  const group = groupOfToken(jwtOf({ sub: 'Ärger/ada', iat: 1, exp: 2, nbf: 1, jti: 'a' }));
  expect(group).toBeTypeOf('string');
  expect(group).not.toContain('c2lnbmVk');
  expect(groupOfToken(jwtOf({ sub: 'Ärger/ada', iat: 3, exp: 4, jti: 'b' }))).toBe(group);
  for (const other of [
    groupOfToken(jwtOf({ sub: 'bob' })),
    groupOfToken(jwtOf({ sub: 'Ärger/ada', role: 'MODERATOR' })),
    groupOfToken(jwtOf({ sub: 'Ärger/ada' }, { alg: 'HS256', kid: 'key_2' })),
    groupOfToken(jwtOf({ sub: 'Ärger/ada' }), { project: 'another' }),
    groupOf('wss://elsewhere.example/graphql', { token: jwtOf({ sub: 'Ärger/ada' }) }),
    groupOf(URL_OF_SERVICE, {}),
  ]) {
    expect(other).toBeTypeOf('string');
    expect(other).not.toBe(group);
  }
});

test('a connection is not shared when its credential names no token, or a position is part of it', () => {
  for (const token of [
    'leap_token_1',
    'a.b',
    'a.b.c',
    `a.${Buffer.from('[]').toString('base64')}`,
    'a.bnVsbA.c',
  ])
    expect(groupOfToken(token), token).toBeUndefined();
  expect(groupOf(URL_OF_SERVICE, { apiKey: 'key_1.secret' })).toBeUndefined();
  expect(groupOfToken(jwtOf({ sub: 'ada' }), { since: 'c.1' })).toBeUndefined();
});

test('the operations of a tab that is gone are completed at the service, those of others go on', async () => {
  await using service = await startService();
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  const received: { type: string; id?: string }[][] = [[], []];
  const portOf = (messages: object[]): Port => ({
    deliver: (text) => void messages.push(JSON.parse(text)),
    close: () => undefined,
  });
  const [own, other] = [portOf(received[0]!), portOf(received[1]!)];
  const socket = new WebSocket(service.url.replace('http', 'ws') + '/graphql', 'graphql-transport-ws');
  const shared = createMultiplexer(socket as unknown as SocketLike, own);
  const send = (port: Port, message: object) => shared.send(port, JSON.stringify(message));
  const query = 'subscription { messages(channel: "lobby") { data } }';
  const cursor = async (): Promise<string | null> => {
    const { connections } = await service.request('{ connections { nodes { cursor } } }');
    return connections.nodes[0].cursor;
  };
  for (const port of [own, other]) send(port, { type: 'connection_init', payload: { token: credential } });
  await eventually(() => received.every(([first]) => first?.type === 'connection_ack'));
  expect(await cursor()).toBeNull();
  for (const port of [own, other]) send(port, { id: '1', type: 'subscribe', payload: { query } });
  const publish = () =>
    service.request(
      'mutation { publishMessage(channel: "lobby", event: "message", data: 1) { connections } }',
    );
  await publish();
  await eventually(() => received.every((messages) => messages.some(({ type }) => type === 'next')));
  expect(received.map((messages) => messages.find(({ type }) => type === 'next')?.id)).toEqual(['1', '1']);

  shared.detach(other);
  await publish();
  await eventually(() => received[0]!.filter(({ type }) => type === 'next').length === 2);
  expect(received[1]!.filter(({ type }) => type === 'next')).toHaveLength(1);
  send(own, { id: '1', type: 'complete' });
  send(own, { id: '2', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  await eventually(() => received[0]!.some(({ id, type }) => id === '2' && type === 'complete'));
  // No subscription is left that reads the log.
  expect(await cursor()).toBeNull();
  shared.close('The test is over.');
  await once(socket, 'close');
});

test('a follower that leaves 5,000 messages unanswered is closed as too slow, one that answers is not', async () => {
  const [leader, follower] = [new BroadcastChannel('pipe'), new BroadcastChannel('pipe')];
  try {
    const received: unknown[] = [];
    follower.onmessage = ({ data }) => received.push(data);
    let answers = 0;
    let isGone = false;
    const port = createFollowerPort(leader as BroadcastChannelLike, {
      send: () => answers++,
      onGone: () => (isGone = true),
    });
    const deliver = (count: number) => {
      for (let i = 0; i < count; i++) port.deliver('{"type":"next"}');
    };
    deliver(4_999);
    await eventually(() => received.filter((data) => data === '{"type":"ping"}').length === 9);
    follower.postMessage('{"type":"pong"}');
    await eventually(() => answers === 1);
    deliver(4_999);
    expect(isGone).toBe(false);
    deliver(1);
    expect(isGone).toBe(true);
    await eventually(() => received.some((data) => (data as { code?: number }).code === 4408));
  } finally {
    leader.close();
    follower.close();
  }
});
