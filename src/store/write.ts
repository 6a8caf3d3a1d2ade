import { type Store } from './store.ts';

/** Executes statements: the store, or a transaction of it. */
export type RowWriter = Pick<Store, 'db' | 'batch'>;

/**
 * A change of rows that was built but not executed. It makes one statement or one batch, and nothing else that writes:
 * SQLite executes it without a transaction around it.
 */
export type Write<T> = (rows: RowWriter) => Promise<T>;

/**
 * Executes a write and sends the signal, or the signals, that announce it, in one transaction: no node keeps working with the
 * rows of before because the process that changed them ended in between. Undefined: the write changed nothing that a node
 * must know. Resolves when all live connections have applied the signals.
 */
export type Announce<Signal> = <T>(
  write: Write<T>,
  signalOf: (result: T) => Signal | readonly Signal[] | undefined,
) => Promise<Announced<T>>;

export interface Announced<T> {
  result: T;
  /** Number of live connections that the signals affected. */
  connections: number;
}
