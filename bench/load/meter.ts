import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../process-usage.ts';

/** What an interval cost. */
export interface Usage {
  readonly serverCpuMs: number;
  readonly wallMs: number;
  /** Share of one core that the load generator took: near 1, it measured itself. */
  readonly generatorShare: number;
}

/** Starts to measure; call what it returns to read. */
export function startMeter(pid: number): () => Usage {
  const serverBefore = cpuMsOf(pid);
  const ownBefore = process.cpuUsage();
  const before = performance.now();
  return () => {
    const wallMs = performance.now() - before;
    const { user, system } = process.cpuUsage(ownBefore);
    const generatorShare = (user + system) / 1000 / wallMs;
    return { serverCpuMs: cpuMsOf(pid) - serverBefore, wallMs, generatorShare };
  };
}

const LOOK_EVERY_MS = 50;
const LOOKS = 4;
const IDLE_MS = 10;
const PATIENCE_MS = 30_000;

/** Resolves when the server has nothing to do any more: all that was asked of it is done. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const seen: number[] = [];
  for (;;) {
    seen.push(cpuMsOf(pid));
    const before = seen.at(-1 - LOOKS);
    if (before !== undefined && cpuMsOf(pid) - before <= IDLE_MS) return;
    if (performance.now() > deadline) throw new Error('The server does not come to rest.');
    await sleep(LOOK_EVERY_MS);
  }
}
