import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, globalAgent } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';

const read = (name: string) => readFileSync(new URL(`certificate/${name}.pem`, import.meta.url), 'utf8');
/** Of localhost and 127.0.0.1, signed by itself, for a hundred years. Its key is no secret. */
const CERTIFICATE = { cert: read('certificate'), key: read('key') };

/** Makes this process trust the certificate, until disposed. */
export function trustCertificate(): Disposable {
  globalAgent.options.ca = CERTIFICATE.cert;
  return {
    [Symbol.dispose]: () => {
      delete globalAgent.options.ca;
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ProviderServer extends AsyncDisposable {
  /** Where its keys are. */
  readonly url: string;
  /** The paths that were requestedPaths for, in order. */
  readonly requestedPaths: string[];
  /** From now on it answers so. */
  answer(answer: Answer): void;
  /** From now on it has these keys. */
  publish(keys: unknown): void;
  /** Breaks every connection off, as a machine does that goes down. */
  reset(): void;
}

/** An OpenID provider as far as its keys go, by https on a port of its own. */
export async function startProvider(): Promise<ProviderServer> {
  const requestedPaths: string[] = [];
  let answer: Answer = (_, response) => response.end('{"keys":[]}');
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
