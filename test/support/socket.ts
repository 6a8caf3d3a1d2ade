import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { type ServiceClient } from './service.ts';

export interface Close {
  code: number;
  reason: string;
}

/** A WebSocket without a protocol library, for sending and receiving single messages. Disposing terminates it. */
export interface RawSocket extends Disposable {
  readonly ws: WebSocket;
  /** Sends strings and bytes unchanged, and everything else as JSON. */
  send(message: unknown): void;
  /** Resolves to the next message. Rejects if the socket is closed first. */
  next(): Promise<any>;
  /** Messages that have arrived and were not taken yet. */
  readonly waiting: readonly any[];
  readonly closed: Promise<Close>;
}

export interface UpgradeOptions extends ClientOptions {
  protocols?: string[];
  /** Default: `/graphql`. */
  path?: string;
  /** Whether `next` and `waiting` include the pings of the protocol. Default: false, for tests that are longer than an interval. */
  pings?: boolean;
}

const PROTOCOL = 'graphql-transport-ws';

function createWebSocket(
  { wsUrl }: Pick<ServiceClient, 'wsUrl'>,
  { protocols = [PROTOCOL], path, pings: _pings, ...options }: UpgradeOptions,
) {
  return new WebSocket(path === undefined ? wsUrl : new URL(wsUrl).origin + path, protocols, options);
}

/** Opens a socket without sending `connection_init`. */
export async function openSocket(
  service: Pick<ServiceClient, 'wsUrl'>,
  options: UpgradeOptions = {},
): Promise<RawSocket> {
  const ws = createWebSocket(service, options);
  const waiting: any[] = [];
  let wake: (() => void) | undefined;
  let close: Close | undefined;
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'ping' && !options.pings) return;
    waiting.push(message);
    wake?.();
  });
  const closed = new Promise<Close>((resolve) => {
    ws.once('close', (code, reason) => {
      close = { code, reason: reason.toString() };
      resolve(close);
      wake?.();
    });
  });
  await new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject));
  // After the handshake, an error is reported by `closed`.
  ws.on('error', () => undefined);

  return {
    ws,
    send(message) {
      ws.send(
        typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message),
      );
    },
    async next() {
      while (waiting.length === 0) {
        if (close) throw new Error(`The socket was closed: ${close.code} ${close.reason}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return waiting.shift();
    },
    waiting,
    closed,
    [Symbol.dispose]: () => ws.terminate(),
  };
}

/** Opens a socket and waits for `connection_ack`. */
export async function connectSocket(
  service: Pick<ServiceClient, 'wsUrl'>,
  payload: object = {},
  options: UpgradeOptions = {},
): Promise<RawSocket> {
  const socket = await openSocket(service, options);
  socket.send({ type: 'connection_init', payload });
  const { type } = await socket.next();
  if (type !== 'connection_ack') throw new Error(`Expected connection_ack, received ${type}.`);
  return socket;
}

/** Requests an upgrade and returns the response. Status 101 means that it was accepted; then the socket is terminated. */
export function upgrade(
  service: Pick<ServiceClient, 'wsUrl'>,
  options: UpgradeOptions = {},
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const ws = createWebSocket(service, options);
  return new Promise((resolve, reject) => {
    ws.once('upgrade', ({ headers }) => {
      ws.once('open', () => ws.terminate()).once('close', () => resolve({ status: 101, body: '', headers }));
    });
    ws.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    ws.on('error', reject);
  });
}

/** A plain TCP connection. Disposing destroys it. */
export interface Tcp extends Disposable {
  readonly socket: Socket;
}

export async function openTcp(
  { url }: Pick<ServiceClient, 'url'>,
  options: { allowHalfOpen?: boolean } = {},
): Promise<Tcp> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...options });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  // Tests observe the end of the connection through `close`.
  socket.on('error', () => undefined);
  return { socket, [Symbol.dispose]: () => socket.destroy() };
}
