import { type Duplex } from 'node:stream';

const REASON_PHRASES = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Answers an upgrade request with an HTTP error response and closes its socket. */
export function rejectUpgrade(
  socket: Duplex,
  status: keyof typeof REASON_PHRASES,
  message: string,
  retryAfterSeconds?: unknown,
): void {
  const retryAfter = typeof retryAfterSeconds === 'number' ? `Retry-After: ${retryAfterSeconds}\r\n` : '';
  const headers = `${retryAfter}Connection: close\r\nContent-Type: text/plain; charset=utf-8`;
  socket.end(
    `HTTP/1.1 ${status} ${REASON_PHRASES[status]}\r\n${headers}\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
    // A peer that does not close its half would otherwise keep the socket open.
    () => socket.destroy(),
  );
}
