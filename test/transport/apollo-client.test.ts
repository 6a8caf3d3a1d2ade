import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
  type TypedDocumentNode,
} from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { tap } from 'rxjs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createChannel, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createProxy } from '../support/proxy.ts';
import { startService } from '../support/service.ts';

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  at
  ... on Connected { cursor channels { id state } }
  ... on ChannelMessage { message { id cursor event data } }
} }`;

// Apollo checks the global WebSocket of browsers when an operation fails.
beforeAll(() => void vi.stubGlobal('WebSocket', WebSocket));
afterAll(() => void vi.unstubAllGlobals());

/** Parses a document without result types, because the test checks the results. */
const documentOf = (text: string): TypedDocumentNode<any> => gql(text);

interface Frontend {
  port: number;
  token: string;
  /** Is awaited before each attempt to reconnect. */
  retryWait?: () => Promise<void>;
}

/** Creates the client of a frontend: subscriptions over WebSocket, everything else over HTTP. */
function createApollo({ port, token, retryWait = () => Promise.resolve() }: Frontend): ApolloClient {
  const socket = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { token },
    retryAttempts: 5,
    retryWait,
  });
  const http = new HttpLink({
    uri: `http://127.0.0.1:${port}/graphql`,
    headers: { authorization: `Bearer ${token}` },
  });
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      resumeLink.concat(new GraphQLWsLink(socket)),
      http,
    ),
  });
}

/** Sets the variable `since` of a subscription to the last received cursor whenever the client subscribes again. */
const resumeLink = new ApolloLink((operation, forward) => {
  let lastCursor = operation.variables['since'];
  Object.defineProperty(operation.variables, 'since', { enumerable: true, get: () => lastCursor });
  return forward(operation).pipe(
    tap(({ data }) => {
      const { cursor, message } = data?.['events'] ?? {};
      lastCursor = message?.cursor ?? cursor ?? lastCursor;
    }),
  );
});

/** Adapts Apollo subscriptions to the client interface of `queueResults`. */
function subscriber(apollo: ApolloClient): Client {
  const subscribe: Client['subscribe'] = ({ query, variables }, sink) => {
    const subscription = apollo
      .subscribe({ query: documentOf(query), variables: variables ?? {}, fetchPolicy: 'no-cache' })
      .subscribe({
        next: ({ data, error }) => {
          if (error) sink.error(error);
          else sink.next({ data });
        },
        error: (error) => sink.error(error),
        complete: () => sink.complete(),
      });
    return () => subscription.unsubscribe();
  };
  return { subscribe } as Client;
}

test('Apollo mints a token over HTTP, subscribes over WebSocket and resumes after a lost connection', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { state: { topic: 'trains' } });
  const backend = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({
      uri: `${signalbox.url}/graphql`,
      headers: { authorization: `Bearer ${signalbox.apiKey}` },
    }),
  });
  const minted = await backend.mutate({
    mutation: documentOf(
      `mutation { createToken(input: { identity: "ada", channels: ["lobby"] }) { credential } }`,
    ),
  });
  const { credential } = minted.data.createToken;
  const publish = async (event: string, data: unknown) => {
    const mutation = documentOf(
      `mutation ($event: String!, $data: JSON) { publishMessage(channel: "lobby", event: $event, data: $data) { connections } }`,
    );
    return (await backend.mutate({ mutation, variables: { event, data } })).data.publishMessage.connections;
  };

  await using proxy = await createProxy(() => Number(new URL(signalbox.url).port));
  let reconnect!: () => void;
  const mayReconnect = new Promise<void>((resolve) => (reconnect = resolve));
  const apollo = createApollo({
    port: proxy.port,
    token: credential,
    retryWait: () => mayReconnect,
  });
  const viewer = await apollo.query({ query: documentOf(`{ viewer { kind token { identity } } }`) });
  expect(viewer.data.viewer).toMatchObject({ kind: 'TOKEN', token: { identity: 'ada' } });

  const events = queueResults(subscriber(apollo), EVENTS);
  expect((await events.next()).events).toMatchObject({
    __typename: 'Connected',
    channels: [{ id: 'lobby', state: { topic: 'trains' } }],
  });
  expect(await publish('first', { n: [1, { deep: null }] })).toBe(1);
  expect((await events.next()).events).toMatchObject({
    message: { event: 'first', data: { n: [1, { deep: null }] } },
  });

  proxy.cut();
  await publish('meanwhile', 2);
  reconnect();
  expect((await events.next()).events.__typename).toBe('Connected');
  expect((await events.next()).events.message).toMatchObject({ event: 'meanwhile', data: 2 });
  expect(await publish('after', 3)).toBe(1);
  expect((await events.next()).events.message).toMatchObject({ event: 'after', data: 3 });
  events.stop();
});

test('Apollo receives refusals as GraphQL errors with a code, over HTTP and over WebSocket', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox, { role: 'GUEST' });
  const port = Number(new URL(signalbox.url).port);
  const codeOf = (error: unknown) =>
    CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions?.['code'] : error;

  const apollo = createApollo({ port, token: credential });
  const messages = queueResults(
    subscriber(apollo),
    `subscription { messages(channel: "nowhere") { event } }`,
  );
  expect(codeOf(await messages.ended)).toBe('FORBIDDEN');
  const unknown = queueResults(subscriber(apollo), `subscription { nothing }`);
  expect(codeOf(await unknown.ended)).toBe('GRAPHQL_VALIDATION_FAILED');
  const listing = apollo.query({ query: documentOf(`{ tokens { nodes { id } } }`) });
  expect(codeOf(await listing.catch((error: unknown) => error))).toBe('FORBIDDEN');

  const unauthenticated = createApollo({ port, token: 'made.up.credential' });
  const query = unauthenticated.query({ query: documentOf(`{ viewer { kind } }`) });
  expect(codeOf(await query.catch((error: unknown) => error))).toBe('UNAUTHENTICATED');
});
