import { type Effort } from './effort.ts';
import { type Endpoint } from './contender.ts';
import { type Latencies } from './latencies.ts';

/** What the load generator is to do once, to one server. Plain data. */
export interface Job {
  readonly scenario: string;
  /** Which parts of the scenario are wanted. */
  readonly parts: readonly string[];
  /** The size, where the scenario has several: see the scenario. */
  readonly variant: number;
  readonly effort: Effort;
  readonly endpoint: Endpoint;
}

/** What was measured. The unit is in the name of each value. */
export interface Measurement {
  readonly values: Readonly<Record<string, number>>;
  /** Order statistics at even distances, to be merged with those of other rounds; at most 1,000 of a kind. */
  readonly latenciesMs?: Latencies;
}

/** By part of the scenario. */
export type Outcome = Readonly<Record<string, Measurement>>;
