import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { type Duplex } from 'node:stream';
import { listen } from './announce-port.ts';

/**
 * A server whose frames cost next to nothing, so that the load generator itself is measured. A publish of `[first, count]`
 * creates one buffer of `count` frames and writes it to every socket.
 */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MESSAGE_BYTES = 350;
const MASK_BYTES = 4;

const sockets = new Set<Duplex>();
const server = createServer();

server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on('error', () => socket.destroy());
  if (request.url === '/publish') return socket.on('data', (bytes: Buffer) => parseRequests(bytes));
  sockets.add(socket);
  return socket.on('close', () => sockets.delete(socket)).resume();
});

/** Parses the publish requests: all are shorter than 126 bytes, and their masking key is zero. */
function parseRequests(bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    const start = at + 2 + MASK_BYTES;
    at = start + (bytes[at + 1]! & 0x7f);
    writeFrames(JSON.parse(bytes.toString('utf8', start, at)) as [number, number]);
  }
}

function writeFrames([first, count]: [number, number]): void {
  const frames = Array.from({ length: count }, (_, index) => frameOf(first + index));
  const batch = Buffer.concat(frames);
  for (const socket of sockets) socket.write(batch);
}

function frameOf(n: number): Buffer {
  const frame = Buffer.alloc(4 + MESSAGE_BYTES, 'x');
  frame.writeUInt16BE(0x817e, 0);
  frame.writeUInt16BE(MESSAGE_BYTES, 2);
  const tail = `"n":"${String(n).padStart(8, '0')}"}}}}}`;
  frame.write(tail, frame.length - tail.length);
  return frame;
}

listen(server);
