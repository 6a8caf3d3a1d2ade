/**
 * Handshake: the state of one WebSocket for as long as the socket lives.
 * Before this step: `websocket` accepts the upgrade. Next: `protocol` handles the messages that the session receives.
 */
import assert from 'node:assert';
import { type Socket } from 'node:net';
import {
  MessageType,
  parseMessage,
  type ConnectionInitMessage,
  type SubscribePayload,
  type WebSocket as ProtocolSocket,
} from 'graphql-ws';
import { WebSocket } from 'ws';
import { type TurnQueue } from '../slices.ts';
import { REVOKES_ACCESS } from '../connections/close-reason.ts';
import { type Connection, type ConnectionNotice, type NoticeReceiver } from '../connections/connection.ts';
import { markInexactNumber } from './exact-variables.ts';
import { readAnswerInTurn } from './close-answer.ts';
import { closeNameForCode, CLOSE_CODES, toCloseReason, type CloseName } from './close-codes.ts';
import { type ConnectionSlot } from './connection-limiter.ts';
import { MessageLane, type MessageTurns } from './message-turns.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';
import { type MemoryHolder } from './retained-memory.ts';

/** Milliseconds that a peer has to answer a close frame before its socket is terminated. */
const CLOSE_TIMEOUT_MS = 2000;

export interface SessionDeps {
  config: { maxQueueBytes: number; handshakeTimeoutMs: number };
  onFault: (error: unknown) => void;
  turns: MessageTurns;
  /** Divides the answers to close frames among turns of the event loop. */
  closeAnswers: TurnQueue;
}

/** The messages that a client may send. The protocol has others, which only a server sends. */
const CLIENT_MESSAGES: ReadonlySet<string> = new Set([
  MessageType.ConnectionInit,
  MessageType.Ping,
  MessageType.Pong,
  MessageType.Subscribe,
  MessageType.Complete,
]);

/** An operation from its `subscribe` message to its end. */
export interface IncomingOperation {
  /** Undefined once the operation has started, so that a running operation does not retain it. */
  payload: SubscribePayload | undefined;
  /** Is called when the operation has ended. */
  release: (() => void) | undefined;
}

/** A session after `connection_ack`. */
export interface AcknowledgedSession extends WebSocketSession {
  readonly connection: Connection;
}

/** Where a session comes from. */
export interface SessionSource {
  address: string;
  slot: ConnectionSlot;
  misplacedCredential: string | undefined;
}

/**
 * One WebSocket, from the upgrade to the close. Until `connection_init` is acknowledged the session has no connection.
 * Handlers are methods rather than closures, to save memory for each socket.
 */
export class WebSocketSession implements ProtocolSocket, OutboxOwner, MemoryHolder, NoticeReceiver {
  readonly protocol: string;
  /** The network address of the peer. */
  readonly address: string;
  /** The header of the upgrade that holds a credential, which is not read there. */
  readonly misplacedCredential: string | undefined;
  /** The slot of the socket among the limited number of connections. */
  readonly slot: ConnectionSlot;
  readonly outbox: Outbox;
  /** Divides the received messages among turns of the event loop. */
  readonly lane: MessageLane;
  /** Undefined until `connection_init` is acknowledged. */
  connection: Connection | undefined;
  /** Settles when the last pending result has been sent. Undefined while no result is pending. */
  tail: Promise<void> | undefined;
  /** Number of results that wait for `tail`. */
  pending = 0;
  /** Estimated bytes that the running operations retain. */
  retainedBytes = 0;
  /** The operation that graphql-ws is about to start. */
  #incoming: IncomingOperation | undefined;
  /** The payload of the `connection_init` that graphql-ws is handling. */
  #initPayload: ConnectionInitMessage['payload'];
  /** Number of live subscriptions. */
  subscriptions = 0;
  /** Operations that may start before the open ones are counted again. */
  operationAllowance = 0;
  /** The code of the close frame that the service sent first, if it did. */
  sentCloseCode: number | undefined;
  /** Whether the peer has sent anything since the last ping. True for a new session, which has not been pinged. */
  isAlive = true;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #closeAnswers: TurnQueue;
  readonly #onFault: SessionDeps['onFault'];
  /** Closes the socket unless the session is acknowledged in time. */
  #handshakeTimer: NodeJS.Timeout | undefined;
  #onMessage: (data: string) => Promise<void> = () => Promise.resolve();

  constructor(
    { config, onFault, turns, closeAnswers }: SessionDeps,
    ws: WebSocket,
    socket: Socket,
    { address, slot, misplacedCredential }: SessionSource,
  ) {
    this.protocol = ws.protocol;
    this.address = address;
    this.slot = slot;
    this.misplacedCredential = misplacedCredential;
    this.outbox = new Outbox(socket, this, config.maxQueueBytes);
    this.lane = new MessageLane(turns, ws);
    this.#ws = ws;
    this.#socket = socket;
    this.#closeAnswers = closeAnswers;
    this.#onFault = onFault;
    // One timeout covers a client that sends nothing and a credential check that never returns.
    this.#handshakeTimer = setTimeout(() => this.closeWith('SLOW_OR_SILENT'), config.handshakeTimeoutMs);
  }

  acknowledge(connection: Connection): void {
    this.#clearHandshakeTimer();
    this.connection = connection;
  }

  isAcknowledged(): this is AcknowledgedSession {
    return this.connection !== undefined;
  }

  /** Part of the graphql-ws socket: queues a text message. */
  send(data: string): void {
    this.outbox.sendText(data);
  }

  /** Part of the graphql-ws socket: sets the handler of received messages. */
  onMessage(handler: (data: string) => Promise<void>): void {
    this.#onMessage = handler;
  }

  /** Passes a message from the socket to the protocol, in this turn of the event loop or a later one. */
  receive(data: Buffer, isBinary: boolean): void {
    this.isAlive = true;
    this.lane.run(() => this.#handle(data, isBinary));
  }

  #handle(data: Buffer, isBinary: boolean): void {
    // A socket keeps receiving until the peer has answered the close frame.
    if (this.outbox.isClosed) return;
    if (isBinary) return this.closeWith('BAD_MESSAGE');
    const text = markInexactNumber(data.toString());
    const message = parseClientMessage(text);
    if (!message) return this.closeWith('BAD_MESSAGE');
    if (message.type === MessageType.Subscribe) return this.#start(message.id, message.payload);
    if (message.type === MessageType.ConnectionInit) return this.#init(message.payload);
    this.#onMessage(text).catch((error: unknown) => this.#fail(error));
  }

  /** graphql-ws retains the payload for as long as the socket lives. `takeInit` passes it to the protocol instead. */
  #init(payload: ConnectionInitMessage['payload']): void {
    this.#initPayload = payload ?? {};
    this.#onMessage('{"type":"connection_init"}').catch((error: unknown) => this.#fail(error));
    this.#initPayload = undefined;
  }

  /** The payload of the `connection_init` that graphql-ws is handling. */
  takeInit(): Readonly<Record<string, unknown>> {
    // Without the payload, a client that sent a credential would be anonymous.
    assert(this.#initPayload, 'takeInit() requires a connection_init that graphql-ws is handling');
    return this.#initPayload;
  }

  /**
   * graphql-ws retains the text and the payload of a message until its operation ends. It therefore receives a message
   * with an empty query, and `takeIncoming` passes the payload to the protocol.
   */
  #start(id: string, payload: SubscribePayload): void {
    const operation: IncomingOperation = { payload, release: undefined };
    this.#incoming = operation;
    this.#onMessage(`{"id":${JSON.stringify(id)},"type":"subscribe","payload":{"query":""}}`).then(
      () => operation.release?.(),
      (error: unknown) => {
        operation.release?.();
        this.#fail(error);
      },
    );
    this.#incoming = undefined;
    // If graphql-ws closed the socket instead, it has not taken the payload.
    operation.payload = undefined;
  }

  /** The operation whose `subscribe` message graphql-ws is handling. */
  takeIncoming(): IncomingOperation | undefined {
    return this.#incoming;
  }

  #fail(error: unknown): void {
    this.#onFault(error);
    this.closeWith('FAULT');
  }

  /**
   * Pings the peer. Once acknowledged, it gets a message of the protocol as well as a control frame: pages cannot see
   * control frames, and clients that do not answer the message are found alive by the control frame.
   */
  ping(): void {
    this.isAlive = false;
    if (this.isAcknowledged()) this.outbox.ping();
    else this.#ws.ping();
  }

  /** Part of NoticeReceiver. */
  onNotice(notice: ConnectionNotice): void {
    // The caller has lost access, so frames that wait in the queue must not be sent.
    if (notice.kind === 'DISCONNECTING' && REVOKES_ACCESS.has(notice.reason)) this.outbox.discard();
  }

  applyDue(): void {
    this.connection?.applyDue();
  }

  overflow(): void {
    this.connection?.close('SLOW_CONSUMER');
  }

  /** Part of the graphql-ws socket: closes by code. */
  close(code: number = CLOSE_CODES.FAULT.code): void {
    this.closeWith(closeNameForCode(code));
  }

  /**
   * Sends the queued frames and a close frame. `sentence` explains the close; it must not contain a secret. Terminates the
   * socket if the peer does not answer within 2 seconds.
   */
  closeWith(name: CloseName, sentence: string = CLOSE_CODES[name].reason): void {
    this.outbox.flush();
    this.outbox.close();
    this.sentCloseCode ??= CLOSE_CODES[name].code;
    if (this.#ws.readyState === WebSocket.OPEN) readAnswerInTurn(this.#socket, this.#closeAnswers);
    this.#ws.close(CLOSE_CODES[name].code, toCloseReason(sentence));
    setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Releases the session when its socket has closed. `isClean`: the peer closed it with 1000 or 1001. */
  handleClose(isClean: boolean): void {
    this.#clearHandshakeTimer();
    this.outbox.close();
    this.lane.clear();
    this.connection?.close(isClean ? 'CLIENT_LEFT' : 'CONNECTION_LOST');
  }

  #clearHandshakeTimer(): void {
    clearTimeout(this.#handshakeTimer);
    this.#handshakeTimer = undefined;
  }
}

/** Undefined if the text is not a message that a client may send. */
function parseClientMessage(text: string) {
  try {
    const message = parseMessage(text);
    return CLIENT_MESSAGES.has(message.type) ? message : undefined;
  } catch {
    return undefined;
  }
}
