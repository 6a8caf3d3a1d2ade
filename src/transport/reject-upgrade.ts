import { type Duplex } from 'node:stream';

const WORDS = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Answers a request for an upgrade in HTTP’s words, and ends its socket. */
export function rejectUpgrade(
  socket: Duplex,
  status: keyof typeof WORDS,
  message: string,
  retryAfterSeconds?: unknown,
): void {
  const retry = typeof retryAfterSeconds === 'number' ? `Retry-After: ${retryAfterSeconds}\r\n` : '';
  const headers = `${retry}Connection: close\r\nContent-Type: text/plain; charset=utf-8`;
  socket.end(
    `HTTP/1.1 ${status} ${WORDS[status]}\r\n${headers}\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
    // A peer that keeps its half open would keep the socket.
    () => socket.destroy(),
  );
}
