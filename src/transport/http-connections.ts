import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type Config } from '../config.ts';
import { tooManyConnections } from './connection-limiter.ts';
import { networkAddress, type AddressOf } from './network-address.ts';
import { rejectUpgrade } from './reject-upgrade.ts';

/**
 * Limits the connections that carry plain HTTP requests; `connection-limiter` counts WebSockets and event streams. A new
 * connection beyond a limit takes the place of the connection that has been idle for the longest time, or, beyond the limit
 * of all addresses, of the one that has been sending a request for the longest time. If there is none, it is answered
 * with 503.
 */
export interface HttpConnections {
  /**
   * Call when the head of a request has arrived.
   * @param onClosed is called when the response, or its connection, is closed
   * @returns false if the connection was refused: do not answer the request
   * @throws UNAVAILABLE when the network address has too many open requests, behind trusted proxies
   */
  begin(request: IncomingMessage, response: ServerResponse, onClosed: () => void): boolean;
  /** Call when the body of a request has arrived. */
  received(request: IncomingMessage): void;
  /**
   * Call when a response becomes an event stream. Its connection counts again when the response is closed, its request does not:
   * `connection-limiter` counts the stream.
   */
  leave(request: IncomingMessage): void;
}

/** IDLE: between requests. RECEIVING: a request has not arrived completely. LEFT: not counted here. */
type State = 'IDLE' | 'RECEIVING' | 'ANSWERING' | 'LEFT';

interface HttpConnection {
  readonly address: string;
  state: State;
  readonly open: Map<IncomingMessage, OpenRequest>;
}

interface OpenRequest {
  /** Counts it no longer as an open request of its address. */
  uncount(): void;
  /** Call when its response, or its connection, is closed. */
  close(): void;
}

/**
 * Counts the connections of a server. The connections of trusted proxies carry the requests of many clients, so there the
 * limit of an address applies to its open requests.
 */
export function limitHttpConnections(
  server: Server,
  addressOf: AddressOf,
  config: Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'trustedProxies' | 'ipv6PrefixLength'>,
): HttpConnections {
  const { maxConnections, maxConnectionsPerAddress, trustedProxies, ipv6PrefixLength } = config;
  const connections = new Map<Duplex, HttpConnection>();
  const refused = new WeakSet<Duplex>();
  /** The counted sockets by state and by address, in the order in which they took their state or became idle. */
  const byState = { IDLE: new Set<Duplex>(), RECEIVING: new Set<Duplex>(), ANSWERING: new Set<Duplex>() };
  const byAddress = new Map<string, Set<Duplex>>();
  /** Open requests by network address; only behind trusted proxies. */
  const requestsByAddress = new Map<string, number>();

  function setState(socket: Duplex, connection: HttpConnection, state: State): void {
    const { address, state: before } = connection;
    if (before !== 'LEFT') byState[before].delete(socket);
    connection.state = state;
    if (state !== 'LEFT') byState[state].add(socket);
    // Only the order of the idle ones is read, so the other changes of state leave the set of the address as it is.
    if (state !== 'IDLE' && state !== 'LEFT' && before !== 'LEFT') return;
    const ofAddress = byAddress.get(address) ?? new Set<Duplex>();
    ofAddress.delete(socket);
    if (state !== 'LEFT') ofAddress.add(socket);
    if (ofAddress.size > 0) byAddress.set(address, ofAddress);
    else byAddress.delete(address);
  }

  function update(socket: Duplex): void {
    const connection = connections.get(socket);
    if (!connection || connection.state === 'LEFT') return;
    const state = stateOf(connection.open.keys());
    if (state !== connection.state) setState(socket, connection, state);
  }

  /** Closes the first of the sockets that is idle or receives a request. Returns false if there is none. */
  function closeFirst(sockets: Iterable<Duplex>, newcomer: Duplex, state: State): boolean {
    for (const socket of sockets) {
      const connection = connections.get(socket);
      if (socket === newcomer || connection?.state !== state) continue;
      setState(socket, connection, 'LEFT');
      socket.destroy();
      return true;
    }
    return false;
  }

  /** Whether there is a slot for a new connection, which is counted already. Makes room if it is needed. */
  function hasSlot(socket: Duplex, address: string): boolean {
    const ofAddress = byAddress.get(address) ?? new Set();
    const isAddressFull = trustedProxies === 0 && ofAddress.size > maxConnectionsPerAddress;
    if (isAddressFull && !closeFirst(ofAddress, socket, 'IDLE')) return false;
    const { IDLE, RECEIVING, ANSWERING } = byState;
    if (IDLE.size + RECEIVING.size + ANSWERING.size <= maxConnections) return true;
    return closeFirst(IDLE, socket, 'IDLE') || closeFirst(RECEIVING, socket, 'RECEIVING');
  }

  /** Shared by all sockets, to save a closure for each. */
  function forget(this: Duplex): void {
    const connection = connections.get(this);
    if (!connection) return;
    for (const { close } of [...connection.open.values()]) close();
    setState(this, connection, 'LEFT');
    connections.delete(this);
  }

  server.on('connection', (socket: Socket) => {
    const address = networkAddress(socket.remoteAddress ?? '', ipv6PrefixLength) ?? '';
    const connection: HttpConnection = { address, state: 'LEFT', open: new Map() };
    connections.set(socket, connection);
    socket.once('close', forget);
    setState(socket, connection, 'IDLE');
    if (hasSlot(socket, address)) return;
    setState(socket, connection, 'LEFT');
    refused.add(socket);
    rejectUpgrade(socket, 503, tooManyConnections().message, RETRY_AFTER_SECONDS);
  });
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    forget.call(socket);
    socket.off('close', forget);
  });

  /** Counts an open request of an address. @throws UNAVAILABLE */
  function countRequest(address: string): void {
    const count = requestsByAddress.get(address) ?? 0;
    if (count >= maxConnectionsPerAddress) throw tooManyConnections();
    requestsByAddress.set(address, count + 1);
  }

  function uncountRequest(address: string): void {
    const others = (requestsByAddress.get(address) ?? 1) - 1;
    if (others > 0) requestsByAddress.set(address, others);
    else requestsByAddress.delete(address);
  }

  return {
    begin(request, response, onClosed) {
      const { socket } = request;
      const connection = connections.get(socket);
      if (!connection || refused.has(socket)) return false;
      const address = addressOf(request);
      let isCounted = trustedProxies > 0;
      if (isCounted) countRequest(address);
      const uncount = () => {
        if (isCounted) uncountRequest(address);
        isCounted = false;
      };
      const close = () => {
        if (!connection.open.delete(request)) return;
        uncount();
        if (connection.state === 'LEFT' && !socket.destroyed) setState(socket, connection, 'IDLE');
        update(socket);
        onClosed();
      };
      connection.open.set(request, { uncount, close });
      response.once('close', close);
      update(socket);
      return true;
    },
    received: ({ socket }) => update(socket),
    leave(request) {
      const { socket } = request;
      const connection = connections.get(socket);
      if (!connection) return;
      setState(socket, connection, 'LEFT');
      connection.open.get(request)?.uncount();
    },
  };
}

function stateOf(requests: Iterable<IncomingMessage>): State {
  let state: State = 'IDLE';
  for (const { complete } of requests) {
    if (!complete) return 'RECEIVING';
    state = 'ANSWERING';
  }
  return state;
}

/** How long a client that was refused should wait before it connects again. */
const RETRY_AFTER_SECONDS = 1;
