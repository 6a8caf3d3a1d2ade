import { type Runtime } from '../runtime.ts';

const FIRST_MS = 500;
const LONGEST_MS = 20_000;

/** Full jitter: a random time up to a bound that doubles from 0.5 s with each failure and stays at 20 s. */
export function backoff(runtime: Runtime, failures: number): number {
  return Math.round(runtime.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures));
}
