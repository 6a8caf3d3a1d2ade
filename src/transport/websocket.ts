import { type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { GraphQLError, type ExecutionArgs } from 'graphql';
import {
  GRAPHQL_TRANSPORT_WS_PROTOCOL,
  makeServer,
  type Context as ProtocolContext,
  type SubscribePayload,
} from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { ENDS_AUTHORITY, type Connection } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { type Caller } from '../tokens/caller.ts';
import { CLOSE_CODES, closeNameOf, type CloseName } from './close-codes.ts';
import { type DoorParts } from './door-parts.ts';
import { execute } from './execute.ts';
import { subscribe, tooManyOperations, type Receiver } from './fan-out.ts';
import { callerOf } from './handshake.ts';
import { hasCredentialInUrl, isAllowedOrigin, urlOf } from './origins.ts';
import { OperationIds } from './operation-id.ts';
import { Operation } from './operation.ts';
import { Outbox } from './outbox.ts';
import { createPlans } from './plan.ts';
import { refuseUpgrade } from './upgrade-refusal.ts';

export interface WebSocketParts extends DoorParts {
  onFault: (error: unknown) => void;
}

/** The WebSocket side of `/graphql`. */
export interface WebSockets extends AsyncDisposable {
  /** Takes an HTTP upgrade, or refuses it in HTTP's words. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly count: number;
}

/** How long a peer may take to answer a close before its socket is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** What graphql-ws carries along with a socket. */
interface Extra {
  ws: WebSocket;
  outbox: Outbox;
  address: string;
  receiver: Receiver | undefined;
  /** Operations that may begin before those that are open are counted again. */
  mayBegin: number;
  /** Ends the socket unless it is acknowledged in time. */
  handshake: NodeJS.Timeout | undefined;
  close: (name: CloseName) => void;
}

export function createWebSockets(parts: WebSocketParts): WebSockets {
  const { schema, domain, config, documents, publicError, doorman, metrics, onFault } = parts;
  const fanOut = {
    plans: createPlans({ domain, publicError }),
    operationIds: new OperationIds(),
    publicError,
    delivered: metrics.delivered,
    maxSubscriptions: config.maxOperationsPerConnection,
  };
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: config.maxMessageBytes,
    // Off for good: it costs 300 KB a connection, and frames are shared between sockets as they are.
    perMessageDeflate: false,
    handleProtocols: () => GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  /** Sockets that have answered the last ping, or are new. */
  const answered = new WeakSet<WebSocket>();
  function hasAnswered(this: WebSocket): void {
    answered.add(this);
  }
  const closers = new Map<WebSocket, (name: CloseName) => void>();

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: 0,
    async onConnect(ctx) {
      try {
        return await open(ctx);
      } catch (error) {
        publicError(error);
        ctx.extra.close(closeNameOfRefusal(error));
        return false;
      }
    },
    onSubscribe: (ctx, id, payload) => prepare(ctx, id, payload),
    execute: (args) => execute(args, shownTo((args.contextValue as Operation).receiver)),
    subscribe: (args) => {
      const { operationId, receiver } = args.contextValue as Operation;
      return subscribe(fanOut, args, operationId, receiver);
    },
    onError: ({ extra }, _id, _payload, errors) =>
      errors.map((error) => shownTo(extra.receiver)(error).toJSON()),
  });

  const shownTo = (receiver: Receiver | undefined) => (error: unknown) =>
    publicError(error, receiver?.connection.caller);

  async function open(ctx: ProtocolContext<Record<string, unknown>, Extra>) {
    const connection = await domain.connections.open(whoIs(ctx), 'WEBSOCKET');
    if (ctx.extra.outbox.isClosed) {
      connection.close('CONNECTION_LOST');
      return false;
    }
    receive(connection, ctx.extra);
    return { connection: connection.id, project: connection.projectId };
  }

  /** Takes the credential along: the protocol would hold it for as long as the socket lives. */
  function whoIs(ctx: ProtocolContext<Record<string, unknown>, Extra>): () => Promise<Caller> {
    const { connectionParams = {} } = ctx;
    Object.assign(ctx, { connectionParams: undefined });
    return () => callerOf(domain, connectionParams);
  }

  function receive(connection: Connection, extra: Extra): void {
    clearTimeout(extra.handshake);
    extra.handshake = undefined;
    extra.receiver = {
      connection,
      outbox: extra.outbox,
      address: extra.address,
      tail: undefined,
      pending: 0,
      subscriptions: 0,
    };
    connection.onNotice((notice) => {
      // What was queued in this turn and not written is not the bearer's any more.
      if (notice.kind === 'DISCONNECTING' && ENDS_AUTHORITY.has(notice.reason)) extra.outbox.discard();
    });
    connection.hangsUp((reason) => {
      const name = closeNameOf(reason);
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer();
      if (name) extra.close(name);
    });
  }

  function prepare(
    { extra, subscriptions }: ProtocolContext<Record<string, unknown>, Extra>,
    operationId: string,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    const { query, variables, operationName } = payload;
    const { receiver } = extra;
    if (!receiver) throw new TypeError('An operation came before its connection.');
    const limit = config.maxOperationsPerConnection;
    // To count what is open costs as much as there is; so many may begin before it has to be counted again.
    if (--extra.mayBegin < 0) extra.mayBegin = limit - Object.keys(subscriptions).length;
    if (extra.mayBegin < 0) return [shownTo(receiver)(tooManyOperations(limit))];
    try {
      const document = documents.parse(query);
      // The protocol holds what was asked for as long as it runs: let it be the one text that we have of it.
      Object.assign(payload, { query: document.loc?.source.body ?? query });
      const errors = documents.validate(document);
      if (errors.length > 0) return errors;
      return {
        schema,
        document,
        contextValue: new Operation(domain, operationId, receiver),
        ...(variables && { variableValues: variables }),
        ...(operationName && { operationName }),
      };
    } catch (error) {
      return [error instanceof GraphQLError ? error : shownTo(receiver)(error)];
    }
  }

  function accept(ws: WebSocket, socket: Socket, address: string, place: Disposable): void {
    const close = (name: CloseName) => {
      const { code } = CLOSE_CODES[name];
      outbox.flush();
      outbox.close();
      ws.close(code, name);
      setTimeout(() => ws.terminate(), CLOSE_TIMEOUT_MS).unref();
    };
    const outbox = new Outbox(socket, {
      maxBytes: config.maxQueueBytes,
      overflow: () => extra.receiver?.connection.close('SLOW_CONSUMER'),
    });
    const extra: Extra = {
      ws,
      outbox,
      address,
      receiver: undefined,
      mayBegin: 0,
      handshake: undefined,
      close,
    };
    // One time-out for all of the handshake: a client that says nothing and a verifier that hangs are the same to a socket.
    extra.handshake = setTimeout(() => {
      if (!extra.receiver) close('SLOW_OR_SILENT');
    }, config.handshakeTimeoutMs);
    closers.set(ws, close);
    answered.add(ws);
    ws.on('pong', hasAnswered);
    ws.on('error', ignore);
    const closed = protocol.opened(
      {
        protocol: ws.protocol,
        send: (data) => outbox.sendText(data),
        close: (code) => close(nameOfCode(code ?? CLOSE_CODES.FAULT.code)),
        onMessage: (handle) => {
          ws.on('message', (data: Buffer, isBinary) => {
            // A socket goes on receiving until its peer has answered the close.
            if (outbox.isClosed) return;
            if (isBinary) close('BAD_MESSAGE');
            else {
              handle(data.toString()).catch((error: unknown) => {
                onFault(error);
                close('FAULT');
              });
            }
          });
        },
      },
      extra,
    );
    metrics.connected('websocket');
    ws.once('close', (code, reason) => {
      clearTimeout(extra.handshake);
      closers.delete(ws);
      outbox.close();
      place[Symbol.dispose]();
      metrics.disconnected('websocket');
      const isClean = code === 1000 || code === 1001;
      extra.receiver?.connection.close(isClean ? 'CLIENT_LEFT' : 'CONNECTION_LOST');
      closed(code, reason.toString()).catch(onFault);
    });
  }

  /** A peer that has not answered the last ping by now is gone, whatever its socket says. */
  function pingAll(): void {
    for (const ws of wss.clients) {
      if (answered.delete(ws)) ws.ping();
      else ws.terminate();
    }
  }
  const pinging = setInterval(pingAll, config.pingIntervalMs).unref();

  return {
    get count() {
      return wss.clients.size;
    },
    upgrade(request, socket, head) {
      socket.on('error', destroy);
      if (!(socket instanceof Socket)) throw new TypeError('An upgrade comes on a socket.');
      const { origin, host } = request.headers;
      const protocols = (request.headers['sec-websocket-protocol'] ?? '')
        .split(',')
        .map((name) => name.trim());
      const url = urlOf(request);
      if (url?.pathname !== '/graphql')
        return refuseUpgrade(socket, 404, 'There is a WebSocket at /graphql only.');
      if (!isAllowedOrigin(origin, host, config.origins)) {
        const refusal = publicError(new SignalboxError('FORBIDDEN', 'This origin is not allowed.'));
        return refuseUpgrade(socket, 403, refusal.message);
      }
      if (hasCredentialInUrl(url))
        return refuseUpgrade(socket, 400, 'A credential belongs into connection_init, never into a URL.');
      if (!protocols.includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) {
        return refuseUpgrade(socket, 400, `The sub-protocol is ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.`);
      }
      try {
        const address = doorman.addressOf(request);
        const place = doorman.enter(address);
        const leave = () => place[Symbol.dispose]();
        socket.once('close', leave);
        wss.handleUpgrade(request, socket, head, (ws) => {
          socket.off('close', leave);
          accept(ws, socket, address, place);
        });
      } catch (error) {
        const refusal = publicError(error);
        const { code, retryAfterSeconds } = refusal.extensions;
        return refuseUpgrade(socket, code === 'RATE_LIMITED' ? 429 : 503, refusal.message, retryAfterSeconds);
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(pinging);
      const gone = [...closers.keys()].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
      for (const close of closers.values()) close('RESTART');
      await Promise.all(gone);
      wss.close();
    },
  };
}

/** A socket says `close` after whatever went wrong with it, and that is heard. */
function ignore(): void {}

function destroy(this: Duplex): void {
  this.destroy();
}

/** The close that answers a refused `connection_init`. */
function closeNameOfRefusal(error: unknown): CloseName {
  if (!(error instanceof SignalboxError)) return 'FAULT';
  switch (error.code) {
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REVOKED':
      return 'RENEW';
    case 'LIMIT_EXCEEDED':
    case 'RATE_LIMITED':
    case 'UNAVAILABLE':
      return 'OVERLOAD';
    default:
      return 'UNAUTHENTICATED';
  }
}

/** graphql-ws closes by number; ours are the same numbers, or nearly. */
function nameOfCode(code: number): CloseName {
  const entry = Object.entries(CLOSE_CODES).find(([, row]) => row.code === code);
  return entry ? (entry[0] as CloseName) : 'BAD_MESSAGE';
}
