import { type Protocol } from '../protocol.ts';
import { digitsOf } from '../payload.ts';

const ID = 'message_0123456789abcdefghijkl';
const PUBLISHED_AT = '2026-01-01T00:00:00.000Z';

/** No protocol: every socket is a subscriber, and the server passes on the frames of the publisher unchanged. */
export const plain: Protocol = {
  subprotocol: undefined,
  isReadyOnOpen: true,
  firstMessage: () => undefined,
  reply: () => ({ messages: [], isReady: true }),
  publish({ n, pad }) {
    const messages = { id: ID, event: 'tick', publishedAt: PUBLISHED_AT, data: { pad, n: digitsOf(n) } };
    return JSON.stringify({ id: '1', type: 'next', payload: { data: { messages } } });
  },
  isRefusal: () => false,
  keepAlive: () => undefined,
};
