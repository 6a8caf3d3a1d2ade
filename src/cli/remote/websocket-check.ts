import { type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { TIMEOUT_MS } from './checks.ts';

/** The service itself closes with this code or a higher one, so the proxies let the connection through. */
const FIRST_OWN_CODE = 4_400;
/** A refusal is one sentence; a proxy may answer with a whole page. */
const MAX_ANSWER_LENGTH = 300;

/**
 * Opens a WebSocket as a client does, and waits for the acknowledgement.
 * @param origin connects as a page of this origin; undefined: as a program
 * @throws Error that says what to do
 */
export function checkWebSocket(
  base: URL,
  apiKey: string | undefined,
  origin: string | undefined,
): Promise<string> {
  const url = new URL(base);
  url.protocol = base.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/graphql';
  const socket = new WebSocket(url, 'graphql-transport-ws', {
    handshakeTimeout: TIMEOUT_MS,
    ...(origin !== undefined && { origin }),
  });
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new Error(message));
    let timer: NodeJS.Timeout | undefined;
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey } }));
      timer = setTimeout(() => {
        fail(
          `The connection was opened, but not acknowledged within ${TIMEOUT_MS / 1_000} s. A proxy may hold messages back.`,
        );
        socket.terminate();
      }, TIMEOUT_MS);
    });
    socket.on('unexpected-response', (_, response) => {
      void explainRefusal(response).then(fail);
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as {
        type?: string;
        payload?: { pingIntervalMs?: number };
      };
      if (message.type !== 'connection_ack') return;
      const seconds = (message.payload?.pingIntervalMs ?? 0) / 1_000;
      resolve(
        origin === undefined
          ? `Connected. The service sends a ping every ${seconds} s; the idle timeout of every proxy must be longer.`
          : `A page of ${origin} may connect.`,
      );
      socket.close(1000);
    });
    socket.on('close', (code, reason) => {
      clearTimeout(timer);
      const sentence = reason.toString('utf8') || 'no reason given';
      if (apiKey === undefined && code >= FIRST_OWN_CODE)
        resolve(
          `The service was reached, and closed the connection without an API key (${code}): ${sentence}`,
        );
      else fail(`The connection was closed with ${code}: ${sentence}`);
    });
    socket.on('error', (error) => fail(error.message));
  });
}

/** The sentence of the service, or what a proxy may do wrong. */
async function explainRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MAX_ANSWER_LENGTH) break;
  }
  const isSentence = response.headers['content-type']?.startsWith('text/plain') === true;
  const { statusCode = 0 } = response;
  if (isSentence && text.length <= MAX_ANSWER_LENGTH) return `${text} (${statusCode})`;
  return `The upgrade is answered with ${statusCode}. A proxy does not pass the headers Upgrade and Connection on: see docs/guides/in-production.md.`;
}
