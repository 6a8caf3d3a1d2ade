import { type Protocol } from '../protocol.ts';
import { digitsOf } from '../payload.ts';

/** Packet types of Engine.IO 4 and Socket.IO 5: one or two digits, followed by JSON. */
const OPEN = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const EVENT = '42';
const FIRST_ACK = '430';

/** A socket.io room, over the WebSocket transport only. */
export const socketIo: Protocol = {
  subprotocol: undefined,
  isReadyOnOpen: false,
  firstMessage: () => undefined,
  reply(text, { operations }) {
    if (text.startsWith(CONNECT)) {
      if (operations.length === 0) return { messages: [], isReady: true };
      return { messages: [`${EVENT}0["join","bench"]`], isReady: false };
    }
    if (text.startsWith(OPEN)) return { messages: [CONNECT], isReady: false };
    return { messages: [], isReady: text.startsWith(FIRST_ACK) };
  },
  publish({ n, pad, channel }) {
    const data = { pad, n: digitsOf(n) };
    return `${EVENT}${JSON.stringify(['publish', channel, { event: 'tick', data }])}`;
  },
  isRefusal: () => false,
  keepAlive: (text) => (text === PING ? PONG : undefined),
};
