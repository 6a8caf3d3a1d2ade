import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint } from '../contender.ts';
import { untilIdle } from './meter.ts';

/** The server measures its lag with a timer of this interval, which is part of every measured delay. */
const TIMER_MS = 10;
const LONGEST = /^nodejs_eventloop_lag_max_seconds (\S+)$/m;
const PAUSES = /^nodejs_gc_duration_seconds_sum\{[^}]*\} (\S+)$/gm;

/** The longest turn of a server's event loop in an interval, and the pauses of its garbage collector in that interval. */
export interface LongestTurn {
  readonly turnMs: number;
  /** The sum of all pauses: the longest turn contains at most this much of them. */
  readonly collectionMs: number;
}

/**
 * Runs `work`, waits until the server is idle, and returns the longest turn of the server's event loop in between. The
 * server measures it itself; each read of `/metrics` starts a new measurement.
 */
export async function longestTurnOf(endpoint: Endpoint, work: () => Promise<unknown>): Promise<LongestTurn> {
  const before = await readMetrics(endpoint);
  // After a reset, the server measures from the second run of its timer.
  await sleep(3 * TIMER_MS);
  await work();
  await untilIdle(endpoint.pid);
  const after = await readMetrics(endpoint);
  return {
    turnMs: Math.max(0, after.longestMs - TIMER_MS),
    collectionMs: after.pausesMs - before.pausesMs,
  };
}

async function readMetrics({ port }: Endpoint): Promise<{ longestMs: number; pausesMs: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const seconds = LONGEST.exec(text)?.[1];
  if (seconds === undefined) throw new Error('The server does not report the lag of its event loop.');
  const pauses = Array.from(text.matchAll(PAUSES), ([, sum]) => Number(sum));
  return {
    longestMs: Number(seconds) * 1000,
    pausesMs: pauses.reduce((sum, pause) => sum + pause, 0) * 1000,
  };
}
