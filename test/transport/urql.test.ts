import {
  Client as UrqlClient,
  fetchExchange,
  subscriptionExchange,
  type CombinedError,
  type Exchange,
} from '@urql/core';
import { createClient, type Client } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createChannel, mint, publish } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createProxy } from '../support/proxy.ts';
import { startService } from '../support/service.ts';

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor channels { id state } }
  ... on ChannelMessage { message { cursor event data } }
} }`;

interface Frontend {
  port: number;
  token: string;
  exchanges: Exchange[];
}

/** Creates the client of a frontend. */
function createUrql({ port, token, exchanges }: Frontend): UrqlClient {
  return new UrqlClient({
    url: `http://127.0.0.1:${port}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges,
  });
}

/** Subscriptions over graphql-ws. `since` is the last received cursor whenever the client subscribes again. */
function overWebSocket(port: number, token: string, retryWait = () => Promise.resolve()): Exchange {
  const socket = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { token },
    retryAttempts: 5,
    retryWait,
  });
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe(sink) {
        let lastCursor = variables?.['since'];
        const resumable = {
          ...variables,
          get since() {
            return lastCursor;
          },
        };
        const unsubscribe = socket.subscribe<any>(
          { query, variables: resumable },
          {
            ...sink,
            next(result) {
              const { cursor, message } = result.data?.events ?? {};
              lastCursor = message?.cursor ?? cursor ?? lastCursor;
              sink.next(result as Parameters<typeof sink.next>[0]);
            },
          },
        );
        return { unsubscribe };
      },
    }),
  });
}

/** Adapts urql subscriptions to the client interface of `queueResults`. */
function subscriber(urql: UrqlClient): Client {
  const subscribe: Client['subscribe'] = ({ query, variables }, sink) => {
    const { unsubscribe } = urql.subscription(query, variables ?? {}).subscribe(({ data, error }) => {
      if (error) sink.error(error);
      else sink.next({ data });
    });
    return unsubscribe;
  };
  return { subscribe } as Client;
}

const codeOf = (error: unknown) => (error as CombinedError).graphQLErrors[0]?.extensions['code'];

test('urql mints a token over HTTP, subscribes over WebSocket and resumes after a lost connection', async () => {
  await using signalbox = await startService();
  const direct = Number(new URL(signalbox.url).port);
  await createChannel(signalbox, 'lobby', { state: { topic: 'trains' } });
  const backend = createUrql({ port: direct, token: signalbox.apiKey, exchanges: [fetchExchange] });
  const { data: minted } = await backend.mutation(
    `mutation { createToken(input: { identity: "ada", channels: ["lobby"] }) { credential } }`,
    {},
  );
  const token = minted.createToken.credential;

  await using proxy = await createProxy(() => direct);
  let reconnect!: () => void;
  const mayReconnect = new Promise<void>((resolve) => (reconnect = resolve));
  const urql = createUrql({
    port: proxy.port,
    token,
    exchanges: [fetchExchange, overWebSocket(proxy.port, token, () => mayReconnect)],
  });
  const viewer = await urql.query(`{ viewer { kind token { identity } } }`, {});
  expect(viewer.data.viewer).toMatchObject({ kind: 'TOKEN', token: { identity: 'ada' } });

  const events = queueResults(subscriber(urql), EVENTS);
  expect((await events.next()).events).toMatchObject({
    __typename: 'Connected',
    channels: [{ id: 'lobby', state: { topic: 'trains' } }],
  });
  expect(await publish(signalbox, 'lobby', 'first')).toBe(1);
  expect((await events.next()).events.message.event).toBe('first');

  proxy.cut();
  await publish(signalbox, 'lobby', 'meanwhile');
  reconnect();
  expect((await events.next()).events.__typename).toBe('Connected');
  expect((await events.next()).events.message.event).toBe('meanwhile');
  expect(await publish(signalbox, 'lobby', 'after')).toBe(1);
  expect((await events.next()).events.message.event).toBe('after');
  events.stop();
});

test('urql subscribes over SSE with fetchSubscriptions', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const { credential } = await mint(signalbox, { channels: ['lobby'] });
  const urql = new UrqlClient({
    url: `${signalbox.url}/graphql`,
    preferGetMethod: false,
    fetchSubscriptions: true,
    fetchOptions: { headers: { authorization: `Bearer ${credential}` } },
    exchanges: [fetchExchange],
  });
  const events = queueResults(
    subscriber(urql),
    `subscription { events { __typename ... on Connected { connection { transport } } } }`,
  );
  expect((await events.next()).events).toEqual({
    __typename: 'Connected',
    connection: { transport: 'SSE' },
  });
  await publish(signalbox, 'lobby', 'first');
  expect((await events.next()).events.__typename).toBe('ChannelMessage');
  events.stop();
});

test('urql receives refusals as GraphQL errors with a code, over HTTP and over WebSocket', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox, { role: 'GUEST' });
  const port = Number(new URL(signalbox.url).port);
  const urql = createUrql({
    port,
    token: credential,
    exchanges: [fetchExchange, overWebSocket(port, credential)],
  });
  const messages = queueResults(subscriber(urql), `subscription { messages(channel: "nowhere") { event } }`);
  expect(codeOf(await messages.ended)).toBe('FORBIDDEN');
  const unknown = queueResults(subscriber(urql), `subscription { nothing }`);
  expect(codeOf(await unknown.ended)).toBe('GRAPHQL_VALIDATION_FAILED');
  expect(codeOf((await urql.query(`{ tokens { nodes { id } } }`, {})).error)).toBe('FORBIDDEN');

  const unauthenticated = createUrql({ port, token: 'made.up.credential', exchanges: [fetchExchange] });
  expect(codeOf((await unauthenticated.query(`{ viewer { kind } }`, {})).error)).toBe('UNAUTHENTICATED');
});
