import { type ErrorCode } from '../errors.ts';

/** The things that a node counts. Refusals are counted apart, by their code. */
const COUNTED = ['publishes', 'deliveries', 'replays', 'gaps', 'slowConsumers'] as const;
export type Counted = (typeof COUNTED)[number];

/** What happened on a node in a period. */
export type Counts = Readonly<Record<Counted, number>> & {
  /** The errors that callers received, by code; codes that did not occur are absent. */
  readonly refusals: ReadonlyMap<ErrorCode, number>;
};

/** The counts of the current period. */
export class Counter implements Counts {
  publishes = 0;
  deliveries = 0;
  replays = 0;
  gaps = 0;
  slowConsumers = 0;
  readonly refusals = new Map<ErrorCode, number>();

  refuse(code: ErrorCode, by = 1): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + by);
  }

  /** Adds the counts of another period. */
  add(counts: Counts): void {
    for (const name of COUNTED) this[name] += counts[name];
    for (const [code, count] of counts.refusals) this.refuse(code, count);
  }
}

/** The counts of a period in which nothing happened. One object for all such periods, to save memory. */
export const NOTHING_COUNTED: Counts = new Counter();

export function sumOf(...periods: readonly (Counts | undefined)[]): Counts {
  const total = new Counter();
  for (const counts of periods) if (counts) total.add(counts);
  return total;
}
