/** Time, handed in: no rule calls `Date.now()`, so an expiry test takes no time. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /**
   * Runs `work` once, not before `epochMs`; disposing cancels it. Any distance works: what is further away
   * than a timer can reach (2^31 − 1 ms, 24.8 days) is armed again on the way.
   */
  at(epochMs: number, work: () => void): Disposable;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(epochMs, work) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const left = Math.max(0, epochMs - Date.now());
      timer = setTimeout(fire, Math.min(left, MAX_TIMER_MS));
      timer.unref();
    };
    // A timer may be early: it counts on a clock of its own, and the system's may be set back meanwhile.
    const fire = () => (Date.now() < epochMs ? arm() : work());
    arm();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Runs `work` every `intervalMs` until disposed; a run that fails does not end the series. */
export function every(clock: Clock, intervalMs: number, work: () => void): Disposable {
  let next: Disposable;
  const arm = () => {
    next = clock.at(clock.now() + intervalMs, () => {
      arm();
      work();
    });
  };
  arm();
  return { [Symbol.dispose]: () => next[Symbol.dispose]() };
}
