import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { type ServiceClient } from './service.ts';

export interface Close {
  code: number;
  reason: string;
}

/** A WebSocket without a client library: what is said and heard, message by message. Disposing cuts it. */
export interface RawSocket extends Disposable {
  readonly ws: WebSocket;
  /** Strings and bytes go as they are, everything else as JSON. */
  send(message: unknown): void;
  /** The next message; fails when the socket is closed first. */
  next(): Promise<any>;
  /** Messages that came and were not taken. */
  readonly waiting: readonly any[];
  readonly closed: Promise<Close>;
}

export interface UpgradeOptions extends ClientOptions {
  protocols?: string[];
  /** Absent: `/graphql`. */
  path?: string;
}

const PROTOCOL = 'graphql-transport-ws';

function dial(
  { wsUrl }: Pick<ServiceClient, 'wsUrl'>,
  { protocols = [PROTOCOL], path, ...options }: UpgradeOptions,
) {
  return new WebSocket(path === undefined ? wsUrl : new URL(wsUrl).origin + path, protocols, options);
}

/** Opens a socket and says nothing yet. */
export async function openSocket(
  doors: Pick<ServiceClient, 'wsUrl'>,
  options: UpgradeOptions = {},
): Promise<RawSocket> {
  const ws = dial(doors, options);
  const waiting: any[] = [];
  let wake: (() => void) | undefined;
  let over: Close | undefined;
  ws.on('message', (data: Buffer) => {
    waiting.push(JSON.parse(data.toString()));
    wake?.();
  });
  const closed = new Promise<Close>((resolve) => {
    ws.once('close', (code, reason) => {
      over = { code, reason: reason.toString() };
      resolve(over);
      wake?.();
    });
  });
  await new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject));
  // From here on a broken connection is a close like any other.
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
        if (over) throw new Error(`The socket was closed: ${over.code} ${over.reason}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return waiting.shift();
    },
    waiting,
    closed,
    [Symbol.dispose]: () => ws.terminate(),
  };
}

/** Opens a socket and completes the handshake. */
export async function connectSocket(
  doors: Pick<ServiceClient, 'wsUrl'>,
  payload: object = {},
  options: UpgradeOptions = {},
): Promise<RawSocket> {
  const socket = await openSocket(doors, options);
  socket.send({ type: 'connection_init', payload });
  const { type } = await socket.next();
  if (type !== 'connection_ack') throw new Error(`Instead of an acknowledgement came ${type}.`);
  return socket;
}

/** How an upgrade is answered: 101 when it is granted, and then it is over at once. */
export function upgrade(
  doors: Pick<ServiceClient, 'wsUrl'>,
  options: UpgradeOptions = {},
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const ws = dial(doors, options);
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

/** A bare TCP connection. Disposing cuts it. */
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
  // A broken connection is an end like any other.
  socket.on('error', () => undefined);
  return { socket, [Symbol.dispose]: () => socket.destroy() };
}
