import { type Workload } from './workload.ts';
import { type Endpoint } from './contender.ts';

/** One job of the load generator: one scenario against one server. Plain data, since it is sent to another process. */
export interface Job {
  readonly scenario: string;
  /** The parts of the scenario to measure. */
  readonly parts: readonly string[];
  /** The size, if the scenario has several; otherwise 0. */
  readonly variant: number;
  readonly workload: Workload;
  readonly endpoint: Endpoint;
}

/** Latencies in ms, by the suffix that follows `p50Ms` and `p99Ms` in the names of their percentiles; usually empty. */
export type Latencies = Readonly<Record<string, readonly number[]>>;

/** The measured values of one part. The name of each value contains its unit. */
export interface Measurement {
  readonly values: Readonly<Record<string, number>>;
  /** Evenly spaced order statistics, at most 1,000 per suffix, to be merged with those of other rounds. */
  readonly latenciesMs?: Latencies;
}

/** Measurements by part of the scenario. */
export type Outcome = Readonly<Record<string, Measurement>>;
