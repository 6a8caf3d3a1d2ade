import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, globalAgent } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';

const read = (name: string) => readFileSync(new URL(`certificate/${name}.pem`, import.meta.url), 'utf8');
/** A self-signed certificate for localhost and 127.0.0.1, valid for a hundred years. Its key is public. */
const CERTIFICATE = { cert: read('certificate'), key: read('key') };

/** Makes this process trust the certificate until disposed. */
export function trustCertificate(): Disposable {
  globalAgent.options.ca = CERTIFICATE.cert;
  return {
    [Symbol.dispose]: () => {
      delete globalAgent.options.ca;
    },
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ProviderServer extends AsyncDisposable {
  /** The URL of the key set. */
  readonly url: string;
  /** The paths of the requests so far, in order. */
  readonly requestedPaths: string[];
  /** Handles further requests with this function. */
  answer(answer: Handler): void;
  /** Answers further requests with these keys. */
  publish(keys: unknown): void;
  /** Resets every connection, as a crashing machine does. */
  reset(): void;
}

/** Starts an HTTPS server that serves the key set of an OpenID provider, on a free port. */
export async function startProvider(): Promise<ProviderServer> {
  const requestedPaths: string[] = [];
  let answer: Handler = (_, response) => response.end('{"keys":[]}');
  const server = createServer(CERTIFICATE, (request, response) => {
    requestedPaths.push(request.url ?? '');
    answer(request, response);
  });
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    requestedPaths,
    answer: (next) => void (answer = next),
    publish: (keys) => void (answer = (_, response) => response.end(JSON.stringify({ keys }))),
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
