import { type Clock } from '../clock.ts';
import { inSlices } from '../slices.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Connection } from './connection.ts';

/** How often the system clock is compared while something has lapsed, in milliseconds. */
const COMPARE_MS = 1000;

/**
 * Remembers the callers whose grants or restrictions have lapsed. If the system clock is set back to before that time, the
 * grants and restrictions are in force again for live connections too, as they are for requests over HTTP.
 */
export interface Lapses extends Disposable {
  /** The caller before anything lapsed, if `given` is what is left of it. */
  before(connection: Connection, given: Caller): Caller;
  /** Remembers that `current` is what is left of `caller`, unless nothing has lapsed. */
  remember(connection: Connection, caller: Caller, current: Caller): void;
  forget(connection: Connection): void;
}

/** @param reapply called for each affected connection after the clock was set back */
export function createLapses(deps: {
  clock: Clock;
  reapply: (connection: Connection) => void;
  onFault: (error: unknown) => void;
}): Lapses {
  const { clock, reapply, onFault } = deps;
  const callers = new Map<Connection, Caller>();
  let comparison: Disposable | undefined;
  let comparedAt = 0;

  function arm(): void {
    comparedAt = clock.now();
    comparison = callers.size > 0 ? clock.after(COMPARE_MS, compare) : undefined;
  }

  function compare(): void {
    const affected = clock.now() < comparedAt ? [...callers.keys()] : [];
    arm();
    for (const connection of affected) connection.defer(() => reapply(connection));
    void inSlices(affected, (connection) => connection.applyDue(), onFault);
  }

  return {
    before: (connection, given) => (given === connection.caller ? (callers.get(connection) ?? given) : given),
    remember(connection, caller, current) {
      if (current === caller) return void callers.delete(connection);
      callers.set(connection, caller);
      if (!comparison) arm();
    },
    forget: (connection) => void callers.delete(connection),
    [Symbol.dispose]: () => comparison?.[Symbol.dispose](),
  };
}
