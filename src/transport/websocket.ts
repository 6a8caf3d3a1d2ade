import { type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { SignalboxError } from '../errors.ts';
import { type TransportDeps } from './transport-deps.ts';
import { hasCredentialInUrl, isAllowedOrigin, urlOf } from './origins.ts';
import { WebSocketSession } from './websocket-session.ts';
import { createProtocol } from './protocol.ts';
import { rejectUpgrade } from './reject-upgrade.ts';

export interface WebSocketParts extends TransportDeps {
  onFault: (error: unknown) => void;
}

/** The WebSocket side of `/graphql`. */
export interface WebSockets extends AsyncDisposable {
  /** Takes an HTTP upgrade, or refuses it in HTTP's words. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly count: number;
}

export function createWebSockets(parts: WebSocketParts): WebSockets {
  const { config, publicError, limiter, metrics, onFault } = parts;
  const protocol = createProtocol(parts);
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: config.maxMessageBytes,
    // Off for good: it costs 300 KB a connection, and the same memory is written to many sockets.
    perMessageDeflate: false,
    handleProtocols: () => GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  /** Who is at each socket, and what tells the protocol that the socket is gone. */
  const peers = new Map<WebSocket, { peer: WebSocketSession; closed: ReturnType<typeof protocol.opened> }>();

  function accept(ws: WebSocket, socket: Socket, address: string): void {
    const peer = new WebSocketSession(parts, ws, socket, address);
    ws.on('pong', onPong).on('error', ignore).on('message', onMessage).once('close', onClose);
    peers.set(ws, { peer, closed: protocol.opened(peer, peer) });
    metrics.connected('websocket');
  }

  // One function each for all sockets: `this` is the one that it is about.
  function onPong(this: WebSocket): void {
    const known = peers.get(this);
    if (known) known.peer.hasAnswered = true;
  }

  function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
    peers.get(this)?.peer.read(data, isBinary);
  }

  function onClose(this: WebSocket, code: number, reason: Buffer): void {
    const known = peers.get(this);
    if (!known) return;
    peers.delete(this);
    limiter.release(known.peer.address);
    metrics.disconnected('websocket');
    known.peer.gone(code === 1000 || code === 1001);
    known.closed(code, reason.toString()).catch(onFault);
  }

  /** A peer that has not answered the last ping by now is gone, whatever its socket says. */
  function pingAll(): void {
    for (const [ws, { peer }] of peers) {
      if (peer.hasAnswered) ws.ping();
      else ws.terminate();
      peer.hasAnswered = false;
    }
  }
  const pinging = setInterval(pingAll, config.pingIntervalMs).unref();

  return {
    get count() {
      return peers.size;
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
        return rejectUpgrade(socket, 404, 'There is a WebSocket at /graphql only.');
      if (!isAllowedOrigin(origin, host, config.origins)) {
        const refusal = publicError(new SignalboxError('FORBIDDEN', 'This origin is not allowed.'));
        return rejectUpgrade(socket, 403, refusal.message);
      }
      if (hasCredentialInUrl(url))
        return rejectUpgrade(socket, 400, 'A credential belongs into connection_init, never into a URL.');
      if (!protocols.includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) {
        return rejectUpgrade(socket, 400, `The sub-protocol is ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.`);
      }
      try {
        const address = limiter.addressOf(request);
        limiter.acquire(address);
        const leave = () => limiter.release(address);
        socket.once('close', leave);
        wss.handleUpgrade(request, socket, head, (ws) => {
          socket.off('close', leave);
          accept(ws, socket, address);
        });
      } catch (error) {
        const refusal = publicError(error);
        const { code, retryAfterSeconds } = refusal.extensions;
        return rejectUpgrade(socket, code === 'RATE_LIMITED' ? 429 : 503, refusal.message, retryAfterSeconds);
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(pinging);
      const gone = [...peers.keys()].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
      for (const { peer } of peers.values()) peer.end('RESTART');
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
