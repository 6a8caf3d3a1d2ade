import { type Dialect } from '../dialect.ts';
import { digitsOf } from '../payload.ts';

/** Packets of Engine.IO 4 and Socket.IO 5: a digit or two, then JSON. */
const OPEN = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const EVENT = '42';
const FIRST_ACK = '430';

/** A socket.io room, over the WebSocket transport only. */
export const socketIo: Dialect = {
  subprotocol: undefined,
  isInAtOnce: false,
  firstMessage: () => undefined,
  reply(text, { operations }) {
    if (text.startsWith(CONNECT)) {
      if (operations.length === 0) return { says: [], isIn: true };
      return { says: [`${EVENT}0["join","bench"]`], isIn: false };
    }
    if (text.startsWith(OPEN)) return { says: [CONNECT], isIn: false };
    return { says: [], isIn: text.startsWith(FIRST_ACK) };
  },
  publish({ n, pad, channel }) {
    const data = { pad, n: digitsOf(n) };
    return `${EVENT}${JSON.stringify(['publish', channel, { event: 'tick', data }])}`;
  },
  isRefusal: () => false,
  keepAlive: (text) => (text === PING ? PONG : undefined),
};
