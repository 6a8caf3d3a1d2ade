import { type Dialect } from '../dialect.ts';
import { digitsOf } from '../payload.ts';

/** The same words for Signalbox and for its peers, whose schema is the part of its own that they take. */
export const SUBSCRIBE_MESSAGES =
  'subscription ($channel: ID!) { messages(channel: $channel) { id event publishedAt data } }';
export const SUBSCRIBE_EVENTS =
  'subscription ($since: Cursor) { events(since: $since) { __typename ... on ChannelMessage { message { id event publishedAt data } } } }';
export const PUBLISH_MESSAGE =
  'mutation ($channel: ID!, $event: String!, $data: JSON) { publishMessage(channel: $channel, event: $event, data: $data) { message { id } } }';

/** With this and its number begins the id of the operation that publishes a message. */
export const PUBLICATION = 'p';

/** `graphql-transport-ws`. */
export const graphql: Dialect = {
  subprotocol: 'graphql-transport-ws',
  isInAtOnce: false,
  firstMessage: ({ connectionParams }) =>
    JSON.stringify({ type: 'connection_init', payload: connectionParams ?? {} }),
  reply(text, { operations }) {
    if (!text.includes('"connection_ack"')) return { says: [], isIn: false };
    const says = operations.map(({ id, query, variables }) =>
      JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }),
    );
    return { says, isIn: true };
  },
  publish({ n, pad, channel }) {
    const variables = { channel, event: 'tick', data: { pad, n: digitsOf(n) } };
    const payload = { query: PUBLISH_MESSAGE, variables };
    return JSON.stringify({ id: `${PUBLICATION}${n}`, type: 'subscribe', payload });
  },
  isRefusal: (answer) => answer.includes('"errors"') || answer.includes('"type":"error"'),
  keepAlive: (text) => (text.includes('"type":"ping"') ? '{"type":"pong"}' : undefined),
};
