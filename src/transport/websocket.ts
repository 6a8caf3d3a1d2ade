/**
 * Handshake: accepts or rejects the HTTP upgrade of a WebSocket and pings the open sockets.
 * Next: `websocket-session` holds the state of the accepted socket. The whole path from `connection_init` to
 * `connection_ack` is websocket → websocket-session → protocol → connection-init → handshake.
 */
import assert from 'node:assert';
import { type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSE_CODES } from './close-codes.ts';
import { findMisplacedCredential } from './connection-init.ts';
import { type TransportDeps } from './transport-deps.ts';
import { hostRefused, isAllowedHost } from './hosts.ts';
import { hasCredentialInUrl, isAllowedOrigin, originRefused, parseRequestUrl } from './origins.ts';
import { MessageTurns } from './message-turns.ts';
import { TurnQueue } from '../slices.ts';
import { WebSocketSession, type SessionSource } from './websocket-session.ts';
import { createProtocol } from './protocol.ts';
import { rejectUpgrade } from './reject-upgrade.ts';

export interface WebSocketDeps extends TransportDeps {
  onFault: (error: unknown) => void;
  /** Whether the process has a file descriptor left for another WebSocket. */
  hasRoom: () => boolean;
}

/** The WebSocket transport of `/graphql`. Disposing closes all sockets with RESTART and waits until they are closed. */
export interface WebSockets extends AsyncDisposable {
  /** Accepts an HTTP upgrade, or rejects it with an HTTP response. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** The session of an open socket, and the callback that notifies graphql-ws that the socket has closed. */
interface SocketEntry {
  session: WebSocketSession;
  closed: (code: number, reason: string) => Promise<void>;
}

/** Close frames that are processed, and closed sockets that are released, in one turn of the event loop. */
const CLOSINGS_PER_TURN = 16;

export function createWebSockets(deps: WebSocketDeps): WebSockets {
  const { addressOf, config, publicError, limiter, metrics, onFault, hasRoom } = deps;
  const protocol = createProtocol(deps);
  const sessionDeps = {
    config,
    onFault,
    turns: new MessageTurns(),
    closeAnswers: new TurnQueue(CLOSINGS_PER_TURN),
  };
  const wss = new WebSocketServer({
    noServer: true,
    WebSocket: ExplainedWebSocket,
    clientTracking: false,
    maxPayload: config.maxMessageBytes,
    // Compression costs 300 KB per connection and would prevent writing the same memory to many sockets.
    perMessageDeflate: false,
    handleProtocols: () => GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  const sockets = new Map<WebSocket, SocketEntry>();
  const closings = new TurnQueue(CLOSINGS_PER_TURN);

  function accept(ws: WebSocket, socket: Socket, source: SessionSource): WebSocketSession {
    const session = new WebSocketSession(sessionDeps, ws, socket, source);
    ws.on('pong', onPong).on('error', ignoreError).on('message', onMessage).on('close', onClose);
    sockets.set(ws, { session, closed: protocol.opened(session, session) });
    metrics.connected('websocket');
    return session;
  }

  // All sockets share these handlers, which find their socket in `this`, to save a closure for each socket and event.
  function onPong(this: WebSocket): void {
    const entry = sockets.get(this);
    if (entry) entry.session.isAlive = true;
  }

  function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
    sockets.get(this)?.session.receive(data, isBinary);
  }

  function onClose(this: WebSocket, code: number, reason: Buffer): void {
    const entry = sockets.get(this);
    if (!entry) return;
    sockets.delete(this);
    entry.session.slot.release();
    metrics.disconnected('websocket');
    metrics.websocketClosed(entry.session.sentCloseCode ?? code);
    entry.session.outbox.close();
    void release(entry, code, reason.toString()).catch(onFault);
  }

  /** Ends the connection and the operations of a closed socket. All clients of a proxy can close at once, so they take turns. */
  async function release({ session, closed }: SocketEntry, code: number, reason: string): Promise<void> {
    await closings.take();
    session.handleClose(code === 1000 || code === 1001);
    await closed(code, reason);
  }

  /** Terminates every socket whose peer has sent nothing since the last ping, and pings the others. */
  function pingAll(): void {
    for (const [ws, { session }] of sockets) {
      if (session.isAlive) session.ping();
      else ws.terminate();
    }
  }
  const pinging = setInterval(pingAll, config.pingIntervalMs).unref();

  return {
    upgrade(request, socket, head) {
      socket.on('error', destroy);
      assert(socket instanceof Socket, 'WebSockets.upgrade() requires a net.Socket');
      const address = addressOf(request);
      const { origin, host } = request.headers;
      const url = parseRequestUrl(request);
      if (url?.pathname !== '/graphql')
        return rejectUpgrade(socket, 404, 'Not found. The WebSocket endpoint is /graphql.');
      if (!isAllowedHost(host, config))
        return rejectUpgrade(socket, 421, publicError(hostRefused(host), undefined, address).message);
      if (origin !== undefined && !isAllowedOrigin(origin, host, config))
        return rejectUpgrade(socket, 403, publicError(originRefused(origin), undefined, address).message);
      if (hasCredentialInUrl(url))
        return rejectUpgrade(socket, 400, 'Send the credential in connection_init, not in the URL.');
      if (!requestsProtocol(request.headers['sec-websocket-protocol'])) {
        return rejectUpgrade(
          socket,
          400,
          `Request the WebSocket sub-protocol ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.`,
        );
      }
      if (!hasRoom())
        return rejectUpgrade(socket, 503, 'The service has too many connections open. Try again later.');
      const misplacedCredential = findMisplacedCredential((name) => firstOf(request.headers[name]), true);
      try {
        let session: WebSocketSession | undefined;
        const slot = limiter.acquire(address, { onEvicted: () => session?.closeWith('OVERLOAD') });
        wss.handleUpgrade(request, socket, head, (ws) => {
          session = accept(ws, socket, { address, slot, misplacedCredential });
        });
        // `ws` calls back before it returns, or refuses the handshake and ends the socket. A listener that is added before
        // and removed after an upgrade would leave a list with spare room on each socket.
        if (!session) socket.once('close', () => slot.release());
      } catch (error) {
        const refusal = publicError(error, undefined, address);
        const { code, retryAfterSeconds } = refusal.extensions;
        return rejectUpgrade(socket, code === 'RATE_LIMITED' ? 429 : 503, refusal.message, retryAfterSeconds);
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(pinging);
      const closed = [...sockets.keys()].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
      for (const { session } of sockets.values()) session.closeWith('RESTART');
      await Promise.all(closed);
      await closings.idle();
      wss.close();
    },
  };
}

/** Gives a reason to the closes that `ws` makes itself, without one: a message that is too large or not UTF-8. */
class ExplainedWebSocket extends WebSocket {
  override close(code?: number, reason: string | Buffer = defaultReason(code)): void {
    super.close(code, reason);
  }
}

function defaultReason(code: number | undefined): string {
  if (code === CLOSE_CODES.TOO_BIG.code) return CLOSE_CODES.TOO_BIG.reason;
  return code === INVALID_UTF8 ? 'The message is not valid UTF-8.' : '';
}

/** The close code of RFC 6455 for text that is not UTF-8. */
const INVALID_UTF8 = 1007;

function requestsProtocol(header = ''): boolean {
  return header.split(',').some((name) => name.trim() === GRAPHQL_TRANSPORT_WS_PROTOCOL);
}

function firstOf(values: string | readonly string[] | undefined): string | undefined {
  return typeof values === 'object' ? values[0] : values;
}

/** An error of a socket is always followed by `close`, which `onClose` handles. */
function ignoreError(): void {}

function destroy(this: Duplex): void {
  this.destroy();
}
