import { ApolloClient, gql, InMemoryCache, type TypedDocumentNode } from '@apollo/client';
import { Client as UrqlClient } from '@urql/core';
import { expect, test } from 'vitest';
import { createProxy } from '../../../test/support/proxy.ts';
import { startService } from '../../../test/support/service.ts';
import { signalboxLink } from '../src/links/apollo.ts';
import { signalboxExchange } from '../src/links/urql.ts';
import { connectClient, createChannel, createMember, eventually, type TestClient } from './support/client.ts';

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename ... on Connected { cursor } ... on ChannelMessage { message { id cursor data } }
} }`;
const documentOf = (text: string): TypedDocumentNode<any> => gql(text);
const VIEWER = 'query { viewer { token { identity } } }';

interface Frontend {
  subscribe(next: (data: any) => void): void;
  query(): Promise<any>;
}

const FRONTENDS: [string, (client: TestClient) => Frontend][] = [
  [
    'Apollo',
    (client) => {
      const apollo = new ApolloClient({ cache: new InMemoryCache(), link: signalboxLink(client) });
      return {
        subscribe: (next) =>
          void apollo.subscribe({ query: documentOf(EVENTS) }).subscribe(({ data }) => next(data)),
        query: async () => (await apollo.query({ query: documentOf(VIEWER) })).data,
      };
    },
  ],
  [
    'urql',
    (client) => {
      const urql = new UrqlClient({
        url: 'http://unused.example',
        preferGetMethod: false,
        exchanges: [signalboxExchange(client)],
      });
      return {
        subscribe: (next) => void urql.subscription(EVENTS, {}).subscribe(({ data }) => next(data)),
        query: async () => (await urql.query(VIEWER, {})).data,
      };
    },
  ],
];

test.each(FRONTENDS)(
  '%s loses and doubles nothing across cuts, over the socket of the client',
  async (_, create) => {
    await using service = await startService();
    await createChannel(service);
    await using proxy = await createProxy(Number(new URL(service.url).port));
    const { credential } = await createMember(service, 'ada');
    await using client = connectClient({ url: `http://127.0.0.1:${proxy.port}`, credential });
    const frontend = create(client);
    const seen: unknown[] = [];
    let connected = 0;
    frontend.subscribe(({ events }) => {
      if (events.__typename === 'Connected') connected++;
      if (events.message) seen.push(events.message.data);
    });
    await eventually(() => connected === 1);
    expect(await frontend.query()).toMatchObject({ viewer: { token: { identity: 'ada' } } });
    const publish = (data: number) =>
      service.request(
        'mutation ($data: JSON) { publishMessage(channel: "lobby", event: "message", data: $data) { connections } }',
        { data },
      );
    for (let round = 0; round < 5; round++) {
      await publish(2 * round);
      proxy.cut();
      await publish(2 * round + 1);
      await eventually(() => seen.length === 2 * round + 2);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(connected).toBeGreaterThan(1);
  },
);
