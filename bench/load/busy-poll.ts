import { availableParallelism } from 'node:os';

let activityCount = 0;

/** Must be called on every activity of a socket. A turn of the event loop without activity counts as idle. */
export function markActive(): void {
  activityCount++;
}

/** Keeps the event loop awake until it is ended. */
export interface BusyPoll {
  /** The share of the time so far in which the load generator was active, from 0 to 1. */
  busyShare(): number;
  end(): void;
}

/**
 * Keeps the event loop turning, so that the process never sleeps in the kernel. A server that writes to a sleeping process
 * pays for waking it up, so it would look cheaper the busier it keeps the load generator. A turn without activity counts as
 * idle. On a machine with one core, the server needs the core: there the event loop sleeps, and the busy share is the CPU
 * time of this process.
 */
export function startBusyPoll(): BusyPoll {
  return availableParallelism() < 2 ? cpuTimePoll() : spinningPoll();
}

function spinningPoll(): BusyPoll {
  const startedAt = performance.now();
  let turnedAt = startedAt;
  let countBefore = activityCount;
  let idleMs = 0;
  let isEnded = false;
  const turn = () => {
    if (isEnded) return;
    const now = performance.now();
    if (activityCount === countBefore) idleMs += now - turnedAt;
    turnedAt = now;
    countBefore = activityCount;
    setImmediate(turn);
  };
  setImmediate(turn);
  return {
    busyShare: () => 1 - idleMs / (performance.now() - startedAt),
    end: () => (isEnded = true),
  };
}

function cpuTimePoll(): BusyPoll {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return {
    busyShare() {
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000 / (performance.now() - startedAt);
    },
    end: () => undefined,
  };
}
