import { type Socket } from 'node:net';
import { type WebSocket as ProtocolSocket } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { CLOSE_CODES, type CloseName } from './close-codes.ts';
import { type Receiver } from './fan-out.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';

/** How long a peer may take to answer a close before its socket is cut. */
const CLOSE_TIMEOUT_MS = 2000;

export interface SessionDeps {
  config: { maxQueueBytes: number; handshakeTimeoutMs: number };
  onFault: (error: unknown) => void;
}

/**
 * Whoever is at the other end of a WebSocket, as the protocol knows it. One object without functions of its own, for
 * there are as many of them as sockets.
 */
export class WebSocketSession implements ProtocolSocket, OutboxOwner {
  readonly protocol: string;
  /** Its network address. */
  readonly address: string;
  readonly outbox: Outbox;
  /** Set once it is acknowledged. */
  receiver: Receiver | undefined;
  /** Operations that may begin before those that are open are counted again. */
  mayBegin = 0;
  /** Whether it has answered the last ping, or is new. */
  hasAnswered = true;
  readonly #ws: WebSocket;
  readonly #onFault: SessionDeps['onFault'];
  /** Ends the socket unless it is acknowledged in time. */
  #handshake: NodeJS.Timeout | undefined;
  #handle: (data: string) => Promise<void> = () => Promise.resolve();

  constructor({ config, onFault }: SessionDeps, ws: WebSocket, socket: Socket, address: string) {
    this.protocol = ws.protocol;
    this.address = address;
    this.outbox = new Outbox(socket, this, config.maxQueueBytes);
    this.#ws = ws;
    this.#onFault = onFault;
    // One time-out for all of the handshake: a client that says nothing and a verifier that hangs are the same to a socket.
    this.#handshake = setTimeout(() => this.end('SLOW_OR_SILENT'), config.handshakeTimeoutMs);
  }

  /** It is acknowledged: this is what it is to the fan-out. */
  receive(receiver: Receiver): void {
    this.#settle();
    this.receiver = receiver;
  }

  send(data: string): void {
    this.outbox.sendText(data);
  }

  onMessage(handle: (data: string) => Promise<void>): void {
    this.#handle = handle;
  }

  read(data: Buffer, isBinary: boolean): void {
    // A socket goes on receiving until its peer has answered the close.
    if (this.outbox.isClosed) return;
    if (isBinary) return this.end('BAD_MESSAGE');
    this.#handle(data.toString()).catch((error: unknown) => {
      this.#onFault(error);
      this.end('FAULT');
    });
  }

  overflow(): void {
    this.receiver?.connection.close('SLOW_CONSUMER');
  }

  /** As graphql-ws closes: by number. */
  close(code: number = CLOSE_CODES.FAULT.code): void {
    this.end(nameOfCode(code));
  }

  end(name: CloseName): void {
    this.outbox.flush();
    this.outbox.close();
    this.#ws.close(CLOSE_CODES[name].code, name);
    setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Its socket is closed, whoever closed it. */
  gone(isClean: boolean): void {
    this.#settle();
    this.outbox.close();
    this.receiver?.connection.close(isClean ? 'CLIENT_LEFT' : 'CONNECTION_LOST');
  }

  #settle(): void {
    clearTimeout(this.#handshake);
    this.#handshake = undefined;
  }
}

/** graphql-ws closes by number; ours are the same numbers, or nearly. */
function nameOfCode(code: number): CloseName {
  const entry = Object.entries(CLOSE_CODES).find(([, row]) => row.code === code);
  return entry ? (entry[0] as CloseName) : 'BAD_MESSAGE';
}
