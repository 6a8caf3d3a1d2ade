import { type Announce } from '../store/write.ts';
import { type Leases } from './leases.ts';
import { type HistoryBounds, type LogPage, type ReadRequest } from './log.ts';
import { type Address, type Draft, type Message } from './message.ts';
import { type Nodes } from './nodes.ts';
import { type Batch } from '../batch.ts';
import { type Position } from './position.ts';
import { type Signal } from './signal.ts';

export interface Published {
  message: Message;
  /**
   * Number of live connections of this node that the message was delivered to. 0 when earlier messages of other nodes are
   * still missing on this node after a second.
   */
  connections: number;
  /** True when the idempotency key repeats an earlier publish: the message was not published again. */
  repeated: boolean;
}

/** Receives messages and signals from the broker. Methods must neither block nor throw. */
export interface BrokerListener {
  /**
   * Receives consecutive messages of one address, each message once, in log order. A batch holds either logged messages
   * only or ephemeral messages only. Returns, for each message, the number of connections it was delivered to.
   */
  deliver?(batch: Batch<Message>): readonly number[];
  /**
   * Returns the number of connections that the signal affected. The signal takes effect before this returns; a promise
   * resolves when every affected connection has also been notified.
   */
  applySignal?(signal: Signal): number | Promise<number>;
  /**
   * Drops everything that was derived from rows: signals were missed, or the node was suspended for long. Connections are
   * closed, and their clients resume by their cursors.
   */
  reset?(): void;
}

/**
 * Carries messages and signals between connections, and between nodes.
 *
 * - When `publish` resolves, the message is in the log and has been delivered to every listener of this node; the listeners of
 *   other nodes receive it a moment later.
 * - Listeners receive the messages of a project in log order.
 * - A caller that first listens and then reads sees every message: through the read, the listener or both.
 */
export interface Broker extends AsyncDisposable {
  /**
   * @param isStale asked when the draft has waited and is about to be appended: whether the rights of its publisher have changed
   * @throws RightsChanged when they have; nothing was published, authorize the publisher again
   * @throws NOT_FOUND when the channel of the draft was deleted since the publisher was authorized; authorize the publisher again
   * @throws CONFLICT when the idempotency key was used for a different message
   * @throws UNAVAILABLE when the log cannot be written
   */
  publish(draft: Draft, isStale?: () => boolean): Promise<Published>;
  /** The position of the newest message of a project. */
  head(projectId: string): Promise<Position>;
  /** The position of a sequence that is not beyond the head. */
  positionAt(projectId: string, sequence: number): Promise<Position>;
  /** Whether a position belongs to the log of the project; see Log. */
  holds(projectId: string, position: Position): Promise<boolean>;
  /** See `Log.read`. */
  read(request: ReadRequest): Promise<LogPage>;
  /** See `Log.readBack`. */
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number },
    limit: number,
  ): Promise<LogPage>;
  /** See `Log.trimmedThrough`. */
  trimmedThrough(projectId: string, address: Address): Promise<number>;
  /** See `Log.expiredThrough`. */
  expiredThrough(projectId: string, address: Address, bounds: HistoryBounds, after: number): Promise<number>;
  /** Adds a listener until the returned value is disposed. */
  listen(listener: BrokerListener): Disposable;
  /**
   * Delivers the messages of a project to the listeners of this node, whichever node publishes them, until the returned value is
   * disposed. A listener of a project must follow it; resolves when a read of the log from now on misses nothing.
   * @throws UNAVAILABLE when the log cannot be read
   */
  follow(projectId: string): Promise<Disposable>;
  /**
   * Sends a signal to every node. Resolves after all listeners applied it, to the number of affected connections. A signal
   * that announces a change of rows is sent by `announce`.
   */
  control(signal: Signal): Promise<number>;
  /**
   * Changes rows and sends the signals that announce it, in one transaction; see `Announce`.
   * @throws UNAVAILABLE when the rows cannot be written. The change may have been made nevertheless if the connection to the
   * database was lost; its signals are then applied later.
   */
  readonly announce: Announce<Signal>;
  /**
   * Why this node may neither deliver nor accept anything, in a sentence for operators; undefined while it may. A node is
   * suspended while it cannot know whether other nodes have revoked or changed rights that it remembers.
   */
  problem(): string | undefined;
  /**
   * A sentence for operators about work that this node does late although it may deliver and accept; undefined: none. It is no
   * reason to send clients to another node.
   */
  warning(): string | undefined;
  /**
   * Undefined while this node may deliver and accept. Otherwise asks the database; await it before accepting anything.
   * @throws UNAVAILABLE when the node stays suspended
   */
  untilLive(): Promise<void> | undefined;
  readonly leases: Leases;
  readonly nodes: Nodes;
}
