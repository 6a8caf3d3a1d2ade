import { type Protocol } from '../protocol.ts';
import { digitsOf } from '../payload.ts';

/** The documents are the same for Signalbox and for the other GraphQL servers, which implement this part of its schema. */
export const SUBSCRIBE_MESSAGES =
  'subscription ($channel: ID!) { messages(channel: $channel) { id event publishedAt data } }';
export const SUBSCRIBE_EVENTS =
  'subscription ($since: Cursor) { events(since: $since) { __typename ... on ChannelMessage { message { id event publishedAt data } } } }';
export const PUBLISH_MESSAGE =
  'mutation ($channel: ID!, $event: String!, $data: JSON) { publishMessage(channel: $channel, event: $event, data: $data) { message { id } } }';

/** The prefix of the operation id of a publish; the number of the message follows. */
export const PUBLICATION = 'p';

/** `graphql-transport-ws`. */
export const graphql: Protocol = {
  subprotocol: 'graphql-transport-ws',
  isReadyOnOpen: false,
  firstMessage: ({ connectionParams }) =>
    JSON.stringify({ type: 'connection_init', payload: connectionParams ?? {} }),
  reply(text, { operations }) {
    if (!text.includes('"connection_ack"')) return { messages: [], isReady: false };
    const messages = operations.map(({ id, query, variables }) =>
      JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }),
    );
    return { messages, isReady: true };
  },
  publish({ n, pad, channel }) {
    const variables = { channel, event: 'tick', data: { pad, n: digitsOf(n) } };
    const payload = { query: PUBLISH_MESSAGE, variables };
    return JSON.stringify({ id: `${PUBLICATION}${n}`, type: 'subscribe', payload });
  },
  isRefusal: (answer) => answer.includes('"errors"') || answer.includes('"type":"error"'),
  keepAlive: (text) => (text.includes('"type":"ping"') ? '{"type":"pong"}' : undefined),
};
