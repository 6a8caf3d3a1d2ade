import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf, machineCpuMs } from '../process-usage.ts';
import { startBusyPoll } from './busy-poll.ts';

/** The resources used in an interval. */
export interface Usage {
  readonly serverCpuMs: number;
  readonly wallMs: number;
  /** Share of the time in which the load generator was active. Near 1, the result may be limited by the load generator. */
  readonly generatorShare: number;
  /** CPU time of all other processes of this machine, as a share of one core. */
  readonly othersShare: number;
}

/** Measures from its start to its end. Meanwhile, the load generator does not sleep. */
export interface Meter {
  /** The usage so far. */
  read(): Usage;
  /** Ends the measurement and returns the total usage. */
  end(): Usage;
}

export function startMeter(pid: number): Meter {
  const busyPoll = startBusyPoll();
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
      generatorShare: busyPoll.busyShare(),
      othersShare: Math.max(0, othersCpuMs / wallMs),
    };
  };
  return {
    read,
    end() {
      busyPoll.end();
      return read();
    },
  };
}

const SAMPLE_EVERY_MS = 50;
const SAMPLES = 4;
const IDLE_MS = 10;
const TIMEOUT_MS = 30_000;

/** Resolves when the server is idle: then it has processed everything that it received. Rejects after 30 s. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  const samples: number[] = [];
  for (;;) {
    samples.push(cpuMsOf(pid));
    const before = samples.at(-1 - SAMPLES);
    if (before !== undefined && cpuMsOf(pid) - before <= IDLE_MS) return;
    if (performance.now() > deadline) throw new Error('The server did not become idle within 30 s.');
    await sleep(SAMPLE_EVERY_MS);
  }
}
