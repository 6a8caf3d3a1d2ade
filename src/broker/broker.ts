import { type Leases } from './leases.ts';
import { type LogPage, type ReadRequest } from './log.ts';
import { type Address, type Draft, type Message } from './message.ts';
import { type Position } from './position.ts';
import { type Signal } from './signal.ts';

export interface Published {
  message: Message;
  /** Live connections that it was handed to. */
  connections: number;
  /** True when an earlier publish with the same idempotency key said it; nothing was said again. */
  repeated: boolean;
}

/** Hears what the broker carries. Called in the order of the log, once per message; must neither wait nor throw. Returns how many connections it reached. */
export interface BrokerListener {
  message(message: Message): number;
  signal(signal: Signal): number;
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
