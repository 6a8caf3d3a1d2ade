import { type Dialect } from '../dialect.ts';
import { digitsOf } from '../payload.ts';

const ID = 'message_0123456789abcdefghijkl';
const PUBLISHED_AT = '2026-01-01T00:00:00.000Z';

/** No protocol: who opens a socket is a subscriber, and what a publisher sends is what subscribers get. */
export const plain: Dialect = {
  subprotocol: undefined,
  isInAtOnce: true,
  firstMessage: () => undefined,
  reply: () => ({ says: [], isIn: true }),
  publish({ n, pad }) {
    const messages = { id: ID, event: 'tick', publishedAt: PUBLISHED_AT, data: { pad, n: digitsOf(n) } };
    return JSON.stringify({ id: '1', type: 'next', payload: { data: { messages } } });
  },
  isRefusal: () => false,
  keepAlive: () => undefined,
};
