import { type Member } from '../broker/leases.ts';
import { type LeaveReason } from '../broker/signal.ts';
import { SignalboxError } from '../errors.ts';
import { type Json } from '../names.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Restriction } from '../tokens/restriction.ts';

/** Why a connection ends. The transport turns it into a close code, presence into why it left. */
export type CloseReason =
  | 'CLIENT_LEFT'
  | 'CONNECTION_LOST'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_REVOKED'
  | 'KEY_ENDED'
  | 'DISCONNECTED'
  | 'SLOW_CONSUMER'
  | 'DRAINING';

/** Ends after which nothing more may be seen, not even what was on its way. */
export const REVOKES_ACCESS: ReadonlySet<CloseReason> = new Set([
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'KEY_ENDED',
]);

export const LEAVE_REASONS: Record<CloseReason, LeaveReason> = {
  CLIENT_LEFT: 'LEFT',
  CONNECTION_LOST: 'CONNECTION_LOST',
  TOKEN_EXPIRED: 'EXPIRED',
  TOKEN_REVOKED: 'REVOKED',
  KEY_ENDED: 'REVOKED',
  DISCONNECTED: 'DISCONNECTED',
  SLOW_CONSUMER: 'SLOW_CONSUMER',
  DRAINING: 'DRAINING',
};

/** What its streams are told of their own connection; other changes reach them through the broker. */
export type ConnectionNotice =
  | { kind: 'TOKEN_UPDATED' }
  | { kind: 'TOKEN_EXPIRING'; expiresAt: number }
  | { kind: 'RESTRICTED' | 'RESTRICTION_LIFTED'; restriction: Restriction }
  | { kind: 'DISCONNECTING'; reason: CloseReason; note: string | null };

export interface ConnectionOptions {
  id: string;
  nodeId: string;
  caller: Caller;
  transport: Member['transport'];
  openedAt: number;
  /** See `Connection.applyDue`. */
  applyDue: (connection: Connection) => void;
}

/** What lives no longer than its connection. */
export interface ConnectionStream {
  /** The caller has changed: look again at what it may hear. */
  reauthorize(): void;
  /** Forget what was not seen yet. */
  discard(): void;
  end(error?: SignalboxError): void;
}

/** One live socket, or SSE stream, of a caller. Knows who it speaks for at this moment, and what ends with it. */
export class Connection {
  readonly id: string;
  readonly nodeId: string;
  readonly projectId: string;
  readonly transport: Member['transport'];
  readonly openedAt: number;
  /** Who it speaks for now; token and grants may change while it lives. */
  caller: Caller;
  /** Milliseconds since 1970 at which it ends by itself. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** Milliseconds since 1970 at which its caller may do something else, though nobody changes anything. */
  nextDueAt = Number.POSITIVE_INFINITY;
  /** The end of its token that it has been told of, in milliseconds since 1970. */
  warnedExpiry: number | undefined;
  /** What it chooses to show in presence. */
  presenceState: Json = null;
  /** Which run reached it last, and from which message on: one that reaches it by two subscriptions counts once. */
  countedBatch = 0;
  countedFrom = 0;
  /** Set once it has ended. */
  closed: CloseReason | undefined;
  readonly #applyDue: (connection: Connection) => void;
  readonly #streams = new Set<ConnectionStream>();
  #isClosing = false;
  #notifyPeer: ((reason: CloseReason) => void) | undefined;
  readonly #closing: ((reason: CloseReason, connection: Connection) => void)[] = [];
  /** Another list after each change, so that it may change while all are told. */
  #noticed: readonly ((notice: ConnectionNotice) => void)[] = [];

  constructor({ id, nodeId, caller, transport, openedAt, applyDue }: ConnectionOptions) {
    this.id = id;
    this.nodeId = nodeId;
    this.projectId = caller.projectId;
    this.caller = caller;
    this.transport = transport;
    this.openedAt = openedAt;
    this.#applyDue = applyDue;
  }

  /** Has it be what it is by now: what has lapsed is taken away, what has expired ends. Timers see to it, but may be late. */
  applyDue(): void {
    this.#applyDue(this);
  }

  /** Whether anything may still be delivered to it. */
  isOpen(now: number): boolean {
    return this.closed === undefined && now < this.expiresAt;
  }

  add(stream: ConnectionStream): void {
    this.#streams.add(stream);
  }

  remove(stream: ConnectionStream): void {
    this.#streams.delete(stream);
    // An SSE connection is the stream; a socket outlives what it subscribes to.
    if (this.transport === 'SSE' && this.#streams.size === 0) this.close('CLIENT_LEFT');
  }

  /** Every stream looks again at what it may hear. */
  reauthorize(): void {
    for (const stream of this.#streams) stream.reauthorize();
  }

  /** From now on `hear` is told what happens to this connection. */
  onNotice(hear: (notice: ConnectionNotice) => void): void {
    this.#noticed = [...this.#noticed, hear];
  }

  offNotice(hear: (notice: ConnectionNotice) => void): void {
    this.#noticed = this.#noticed.filter((other) => other !== hear);
  }

  notify(notice: ConnectionNotice): void {
    for (const hear of this.#noticed) hear(notice);
  }

  /** How its peer is told of its end; at once where it has ended already. */
  onNotifyPeer(tell: (reason: CloseReason) => void): void {
    if (this.closed === undefined) this.#notifyPeer = tell;
    else tell(this.closed);
  }

  /** At once where it has ended already. */
  onClose(tell: (reason: CloseReason, connection: Connection) => void): void {
    if (this.closed === undefined) this.#closing.push(tell);
    else tell(this.closed, this);
  }

  /** Ends it: its peer is told first, then its streams, then whatever waits for its end. Repeating it changes nothing. */
  close(reason: CloseReason, note: string | null = null): void {
    closeAll([this], reason, note);
  }

  /** The first half of its end: from now on its peer is told nothing more. False where that is so already. */
  beginClose(reason: CloseReason, note: string | null): boolean {
    if (this.#isClosing) return false;
    this.#isClosing = true;
    if (REVOKES_ACCESS.has(reason)) for (const stream of this.#streams) stream.discard();
    // Its streams may still say why; that they do may be what a full queue cannot take.
    this.notify({ kind: 'DISCONNECTING', reason, note });
    this.closed = reason;
    this.#notifyPeer?.(reason);
    return true;
  }

  /** The second half. @param error what its streams end with */
  finishClose(reason: CloseReason, error: SignalboxError | undefined): void {
    for (const stream of this.#streams) stream.end(error);
    for (const tell of this.#closing) tell(reason, this);
  }

  /** As others may see it. */
  asMember(): Member {
    const token = this.caller.kind === 'TOKEN' ? this.caller.token : undefined;
    return {
      connectionId: this.id,
      nodeId: this.nodeId,
      projectId: this.projectId,
      tokenId: token?.id ?? null,
      identity: token?.identity ?? null,
      connectionData: token?.connectionData ?? null,
      state: this.presenceState,
      transport: this.transport,
      connectedAt: this.openedAt,
    };
  }
}

/** Ends all of them. However many they are, every peer is told before the first is tidied up after. */
export function closeAll(
  connections: Iterable<Connection>,
  reason: CloseReason,
  note: string | null = null,
): void {
  const ended = [...connections].filter((connection) => connection.beginClose(reason, note));
  const error = errorOf(reason);
  for (const connection of ended) connection.finishClose(reason, error);
}

/** What a stream that is pulled over HTTP is told; a WebSocket is told by its close code. */
export function errorOf(reason: CloseReason): SignalboxError | undefined {
  switch (reason) {
    case 'TOKEN_EXPIRED':
      return new SignalboxError('TOKEN_EXPIRED', 'The token has expired.');
    case 'TOKEN_REVOKED':
      return new SignalboxError('TOKEN_REVOKED', 'The token was revoked.');
    case 'KEY_ENDED':
      return new SignalboxError('UNAUTHENTICATED', 'What let the connection in has ended.');
    case 'DISCONNECTED':
      return new SignalboxError('FORBIDDEN', 'The connection was ended by a moderator or a backend.');
    case 'SLOW_CONSUMER':
      return new SignalboxError(
        'SLOW_CONSUMER',
        'The stream was not read fast enough. Resume with the last cursor.',
      );
    case 'DRAINING':
      return new SignalboxError('UNAVAILABLE', 'The service is restarting. Resume with the last cursor.');
    case 'CLIENT_LEFT':
    case 'CONNECTION_LOST':
      return undefined;
  }
}
