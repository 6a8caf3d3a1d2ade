import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf, machineCpuMs } from '../process-usage.ts';
import { startBusyPoll } from './busy-poll.ts';

/** What an interval cost. */
export interface Usage {
  readonly serverCpuMs: number;
  readonly wallMs: number;
  /** Share of the time in which the load generator had something to do: near 1, it measured itself. */
  readonly generatorShare: number;
  /** What all others on this machine took, as a share of one core: they were in the way. */
  readonly othersShare: number;
}

/** Measures from when it is made until its end; meanwhile the load generator does not sleep. */
export interface Meter {
  /** So far. */
  read(): Usage;
  /** To the end. */
  end(): Usage;
}

export function startMeter(pid: number): Meter {
  const vigil = startBusyPoll();
  const serverBefore = cpuMsOf(pid);
  const ownBefore = process.cpuUsage();
  const machineBefore = machineCpuMs();
  const before = performance.now();
  const read = () => {
    const wallMs = performance.now() - before;
    const serverCpuMs = cpuMsOf(pid) - serverBefore;
    const { user, system } = process.cpuUsage(ownBefore);
    const othersCpuMs = machineCpuMs() - machineBefore - serverCpuMs - (user + system) / 1000;
    return {
      serverCpuMs,
      wallMs,
      generatorShare: vigil.busyShare(),
      othersShare: Math.max(0, othersCpuMs / wallMs),
    };
  };
  return {
    read,
    end() {
      vigil.end();
      return read();
    },
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
