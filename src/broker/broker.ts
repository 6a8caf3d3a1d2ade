import { type Leases } from './leases.ts';
import { type LogPage, type ReadRequest } from './log.ts';
import { type Address, type Draft, type Message } from './message.ts';
import { type Batch } from '../batch.ts';
import { type Position } from './position.ts';
import { type Signal } from './signal.ts';

export interface Published {
  message: Message;
  /** Live connections that it was handed to. */
  connections: number;
  /** True when an earlier publish with the same idempotency key said it; nothing was said again. */
  repeated: boolean;
}

/** Hears what the broker carries. Must neither wait nor throw. */
export interface BrokerListener {
  /**
   * Messages of one address that came one after the other, all of them in the log or none: in the order of the log, each
   * once. Returns how many connections each one reached.
   */
  deliver?(run: Batch<Message>): readonly number[];
  /** Returns how many connections felt it. */
  applySignal?(signal: Signal): number;
}

/**
 * Carries messages and signals between connections, and between nodes.
 *
 * - A message that `publish` returned is in the log, and every listener there was has been handed it.
 * - Listeners are handed the messages of a project in the order of its log.
 * - Whoever listens first and then reads sees every message: by the read, the listener or both.
 */
export interface Broker extends AsyncDisposable {
  /** @throws CONFLICT when its idempotency key was used for something else, UNAVAILABLE when it could not be kept. */
  publish(draft: Draft): Promise<Published>;
  head(projectId: string): Promise<Position>;
  /** The position of a sequence that is not beyond the head. */
  positionAt(projectId: string, sequence: number): Promise<Position>;
  /** Whether a position belongs to the log of the project; see Log. */
  holds(projectId: string, position: Position): Promise<boolean>;
  read(request: ReadRequest): Promise<LogPage>;
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number },
    limit: number,
  ): Promise<LogPage>;
  trimmedThrough(projectId: string, address: Address): Promise<number>;
  /** Until disposed. */
  listen(listener: BrokerListener): Disposable;
  /** Tells every node; resolves to the connections that felt it, once they have. */
  control(signal: Signal): Promise<number>;
  readonly leases: Leases;
}
