import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { DOCUMENTS } from '../../src/documents.ts';

/** A message of the protocol from the client, with the kind of its operation. */
export interface Request {
  readonly type: string;
  readonly id: string;
  readonly payload: any;
  /** A key of `DOCUMENTS`, `renew` for a renewal of the credential, or undefined for other operations and messages. */
  readonly kind: keyof typeof DOCUMENTS | 'renew' | undefined;
}

/** One connection of a client. */
export interface Session {
  /** The number of the connection, from 1. */
  readonly number: number;
  readonly socket: WebSocket;
  send(message: object): void;
  next(id: string, data: unknown): void;
  fail(id: string, code: string, retryable: boolean): void;
  complete(id: string): void;
  /** Answers a query or mutation. */
  answer(id: string, data: unknown): void;
}

/** Handles a message in place of the service, unless it returns false or undefined. */
export type Script = (request: Request, session: Session) => unknown;

export interface ScriptedService {
  readonly url: string;
  readonly requests: Request[];
  /** The requests of a kind, in their order. */
  of(kind: Request['kind']): Request[];
  /** The number of connections so far. */
  readonly connections: number;
  /** The live connections. */
  readonly sessions: ReadonlySet<Session>;
}

const kindOf = (query: unknown): Request['kind'] =>
  (Object.entries(DOCUMENTS).find(([, document]) => document === query)?.[0] as
    keyof typeof DOCUMENTS | undefined) ?? (String(query).includes('reauthenticate') ? 'renew' : undefined);

/** A message as the service delivers it. */
export const messageWith = (text: string, more: object = {}) => ({
  ...{ id: `msg_${text}`, cursor: `cursor_${text}`, ordinal: 1, idempotencyKey: null, channel: 'lobby' },
  ...{ event: 'message', data: { text }, publishedAt: new Date(0).toISOString() },
  sender: { kind: 'API_KEY', token: null, identity: null, connectionData: null },
  ...more,
});

export const CHANNEL = { id: 'lobby', type: 'PRIVATE', state: null, version: 0 };
export const connectedWith = (more: object = {}) => ({
  events: {
    ...{ __typename: 'Connected', at: new Date().toISOString(), connection: { id: 'conn_1' }, token: null },
    ...{ cursor: 'cursor_head', channels: [CHANNEL] },
    ...more,
  },
});
export const pageWith = (...messages: { cursor: string | null }[]) => ({
  channel: {
    messages: {
      nodes: messages,
      pageInfo: {
        startCursor: messages[0]?.cursor ?? null,
        endCursor: messages.at(-1)?.cursor ?? 'cursor_head',
        hasPreviousPage: false,
        hasNextPage: false,
      },
    },
  },
});

/**
 * A WebSocket server that answers as a service does with one channel, `lobby`, whose only member is the token. What the script
 * answers replaces that.
 */
export async function startScriptedService(script: Script = () => false, port = 0): Promise<ScriptedService> {
  const server = new WebSocketServer({
    port,
    host: '127.0.0.1',
    handleProtocols: () => 'graphql-transport-ws',
  });
  const requests: Request[] = [];
  const sessions = new Set<Session>();
  let connections = 0;

  function answer({ type, id, kind, payload }: Request, session: Session): void {
    if (type === 'connection_init')
      session.send({ type: 'connection_ack', payload: { cursor: 'cursor_head' } });
    if (type === 'ping') session.send({ type: 'pong' });
    if (type !== 'subscribe') return;
    if (kind === 'events') session.next(id, connectedWith());
    if (kind === 'page') session.answer(id, pageWith());
    if (kind === 'members')
      session.answer(id, {
        channel: { presence: { members: { nodes: [], pageInfo: { endCursor: null, hasNextPage: false } } } },
      });
    if (kind === 'publish') {
      const { data, idempotencyKey } = payload.variables;
      session.answer(id, { publishMessage: { message: messageWith(data.text, { idempotencyKey }) } });
    }
    if (kind === 'renew') session.answer(id, { reauthenticate: { token: null } });
    if (kind === 'setPresence') session.answer(id, { setPresence: { id: 'conn_1' } });
  }

  server.on('connection', (socket) => {
    const send = (message: object) => socket.send(JSON.stringify(message));
    const session: Session = {
      ...{ number: ++connections, socket, send },
      next: (id, data) => send({ type: 'next', id, payload: { data } }),
      fail: (id, code, retryable) =>
        send({ type: 'error', id, payload: [{ message: code, extensions: { code, retryable } }] }),
      complete: (id) => send({ type: 'complete', id }),
      answer(id, data) {
        session.next(id, data);
        session.complete(id);
      },
    };
    sessions.add(session);
    socket.on('close', () => sessions.delete(session));
    socket.on('message', (text: Buffer) => {
      const message = JSON.parse(text.toString()) as Request;
      const request = { ...message, kind: kindOf(message.payload?.query) };
      requests.push(request);
      if (!script(request, session)) answer(request, session);
    });
  });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    of: (kind) => requests.filter((request) => request.kind === kind),
    get connections() {
      return connections;
    },
    sessions,
  };
}
