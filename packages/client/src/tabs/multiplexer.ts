/** Why a connection is over, as in a close frame. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A tab on a shared connection. */
export interface Port {
  /** Delivers a message of the protocol. */
  deliver(text: string): void;
  /** The connection is over for this tab. */
  close(code: number, reason: string): void;
}

/** One WebSocket that several tabs use, each as if it were its own. */
export interface Multiplexer {
  /** Sends a message of a tab. The first message of each tab is `connection_init`. */
  send(port: Port, text: string): void;
  /** Completes the operations of a tab that is gone. */
  detach(port: Port): void;
  /** Closes the WebSocket and all ports. */
  close(reason: string): void;
}

/** The part of a WebSocket that tabs use. */
export interface SocketLike {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** A message of the protocol `graphql-transport-ws`, in either direction. */
interface ProtocolMessage {
  readonly type?: string;
  readonly id?: string;
  readonly payload?: unknown;
}

const REFUSED = [1006, 'The tab that was connecting was refused.'] as const;

/**
 * Shares a WebSocket that is being opened. The tab of `own` presents its credential and answers the pings of the service;
 * the other tabs get the same acknowledgement. Operations are numbered anew, because each tab counts from 1.
 */
export function createMultiplexer(socket: SocketLike, own: Port): Multiplexer {
  const operations = new Map<string, { readonly port: Port; readonly id: string }>();
  /** The ports, each with its operations: its own id of each, and the id on the WebSocket. */
  const ports = new Map<Port, Map<string, string>>([[own, new Map()]]);
  let init: string | undefined;
  let acknowledgement: string | undefined;
  let lastId = 0;
  let isOver = false;

  function post(message: ProtocolMessage): void {
    if (socket.readyState === 1) socket.send(JSON.stringify(message));
  }

  function forget(realId: string): void {
    const operation = operations.get(realId);
    operations.delete(realId);
    if (operation) ports.get(operation.port)?.delete(operation.id);
  }

  function onMessage(text: string): void {
    let message: ProtocolMessage;
    try {
      message = JSON.parse(text) as ProtocolMessage;
    } catch {
      // The client of this tab decides about a service that does not speak the protocol.
      return own.deliver(text);
    }
    const { type, id } = message;
    if (type === 'connection_ack') acknowledgement = text;
    if (id === undefined) {
      for (const port of [...ports.keys()]) port.deliver(text);
      return;
    }
    const operation = operations.get(id);
    if (type !== 'next') forget(id);
    operation?.port.deliver(JSON.stringify({ ...message, id: operation.id }));
  }

  function onInit(port: Port, text: string): void {
    if (port !== own) {
      if (acknowledgement !== undefined) port.deliver(acknowledgement);
      return;
    }
    init = text;
    if (socket.readyState === 1) socket.send(text);
  }

  function subscribe(port: Port, message: ProtocolMessage): void {
    const { id = '' } = message;
    const realId = String(++lastId);
    ports.get(port)?.set(id, realId);
    operations.set(realId, { port, id });
    post({ ...message, id: realId });
  }

  function complete(port: Port, id = ''): void {
    const realId = ports.get(port)?.get(id);
    if (realId === undefined) return;
    forget(realId);
    post({ id: realId, type: 'complete' });
  }

  function end(code: number, reason: string): void {
    if (isOver) return;
    isOver = true;
    socket.onopen = socket.onmessage = socket.onclose = null;
    ports.delete(own);
    // A refusal concerns the credential of this tab: another tab may have a newer one, and presents it itself.
    const closing = acknowledgement === undefined ? REFUSED : ([code, reason] as const);
    for (const port of ports.keys()) port.close(...closing);
    own.close(code, reason);
  }

  socket.onopen = () => {
    if (init !== undefined) socket.send(init);
  };
  socket.onmessage = ({ data }) => onMessage(String(data));
  // In Node an error without a listener ends the process. A close event follows each error.
  socket.onerror = () => undefined;
  socket.onclose = ({ code, reason }) => end(code, reason);

  return {
    send(port, text) {
      if (isOver) return;
      if (!ports.has(port)) ports.set(port, new Map());
      const message = JSON.parse(text) as ProtocolMessage;
      if (message.type === 'connection_init') onInit(port, text);
      else if (message.type === 'subscribe') subscribe(port, message);
      else if (message.type === 'complete') complete(port, message.id);
      // One answer is enough for the service.
      else if (message.type !== 'pong' || port === own) post(message);
    },
    detach(port) {
      for (const id of [...(ports.get(port)?.keys() ?? [])]) complete(port, id);
      ports.delete(port);
    },
    close(reason) {
      if (isOver) return;
      end(1006, reason);
      socket.close(1000);
    },
  };
}
