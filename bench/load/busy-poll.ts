import { availableParallelism } from 'node:os';

let stirs = 0;

/** To be called when anything happens on a socket: what a vigil counts as busy. */
export function stir(): void {
  stirs++;
}

/** Awake until it is ended. */
export interface Vigil {
  /** Share of its time, so far, in which there was something to do. */
  busyShare(): number;
  end(): void;
}

/**
 * Keeps the event loop turning, so that it never sleeps in the kernel: whoever writes to a process that sleeps pays for
 * waking it, and a server must not look cheaper because it keeps the load generator busier than another. A turn in which
 * nothing stirred is idle. Where there is one core, the server needs it: the loop sleeps, and its CPU time says its share.
 */
export function keepVigil(): Vigil {
  return availableParallelism() < 2 ? sleepingVigil() : wakefulVigil();
}

function wakefulVigil(): Vigil {
  const beganAt = performance.now();
  let turnedAt = beganAt;
  let stirsBefore = stirs;
  let idleMs = 0;
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    const now = performance.now();
    if (stirs === stirsBefore) idleMs += now - turnedAt;
    turnedAt = now;
    stirsBefore = stirs;
    setImmediate(turn);
  };
  setImmediate(turn);
  return {
    busyShare: () => 1 - idleMs / (performance.now() - beganAt),
    end: () => (isOver = true),
  };
}

function sleepingVigil(): Vigil {
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
