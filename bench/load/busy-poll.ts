import { availableParallelism } from 'node:os';

let activity = 0;

/** Call it whenever something happens on a socket: the busy poll counts such turns as busy. */
export function markActive(): void {
  activity++;
}

/** A loop that keeps the process awake until it is ended. */
export interface BusyPoll {
  /** The share of the time so far with activity on a socket, from 0 to 1. */
  busyShare(): number;
  end(): void;
}

/**
 * Keeps the event loop turning so that it never sleeps in the kernel. The writer to a sleeping process pays for waking it,
 * so a server would look cheaper merely because it keeps the load generator busier than another server does. A turn
 * without activity is idle. On one core the server needs the core: the loop sleeps, and its CPU time is its busy share.
 */
export function startBusyPoll(): BusyPoll {
  return availableParallelism() < 2 ? sleepingLoop() : pollingLoop();
}

function pollingLoop(): BusyPoll {
  const beganAt = performance.now();
  let turnedAt = beganAt;
  let activityBefore = activity;
  let idleMs = 0;
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    const now = performance.now();
    if (activity === activityBefore) idleMs += now - turnedAt;
    turnedAt = now;
    activityBefore = activity;
    setImmediate(turn);
  };
  setImmediate(turn);
  return {
    busyShare: () => 1 - idleMs / (performance.now() - beganAt),
    end: () => (isOver = true),
  };
}

function sleepingLoop(): BusyPoll {
  const beganAt = performance.now();
  const before = process.cpuUsage();
  return {
    busyShare() {
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000 / (performance.now() - beganAt);
    },
    end: () => undefined,
  };
}
