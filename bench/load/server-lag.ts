import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint } from '../contender.ts';
import { untilIdle } from './meter.ts';

/** The server measures its lag with a timer of this interval, which is part of every measured delay. */
const TIMER_MS = 10;
const LONGEST = /^nodejs_eventloop_lag_max_seconds (\S+)$/m;

/**
 * Runs `work`, waits until the server is idle, and returns the longest turn of the server's event loop in between, in ms. The
 * server measures it itself; each read of `/metrics` starts a new measurement.
 */
export async function longestTurnOf(endpoint: Endpoint, work: () => Promise<unknown>): Promise<number> {
  await readLongest(endpoint);
  // After a reset, the server measures from the second run of its timer.
  await sleep(3 * TIMER_MS);
  await work();
  await untilIdle(endpoint.pid);
  return Math.max(0, (await readLongest(endpoint)) - TIMER_MS);
}

async function readLongest({ port }: Endpoint): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const seconds = LONGEST.exec(text)?.[1];
  if (seconds === undefined) throw new Error('The server does not report the lag of its event loop.');
  return Number(seconds) * 1000;
}
