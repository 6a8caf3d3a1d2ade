/** The injected source of time. No other module calls `Date.now()`, so tests of expiry need not wait. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /**
   * Runs `work` once, at `epochMs` or as soon as possible after it; never synchronously. Disposing cancels `work`. Any
   * distance works: beyond the maximum of a timer (2^31 − 1 ms, 24.8 days), the timer is armed repeatedly.
   */
  at(epochMs: number, work: () => void): Disposable;
  /** Milliseconds of elapsed time since some moment. It never jumps, unlike `now`, which an operator or NTP can set. */
  monotonic(): number;
  /** Runs `work` once, after `ms` of elapsed time; never synchronously. Disposing cancels `work`. At most 24.8 days. */
  after(ms: number, work: () => void): Disposable;
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
    // A timer can fire early: it uses a monotonic clock, while the system clock may have been set back.
    const fire = () => (Date.now() < epochMs ? arm() : work());
    arm();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  monotonic: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, Math.min(ms, MAX_TIMER_MS)).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Runs `work` every `intervalMs` of elapsed time until disposed, also while the system clock jumps. A `work` that throws does not stop the series. */
export function every(clock: Clock, intervalMs: number, work: () => void): Disposable {
  let next: Disposable;
  const arm = () => {
    next = clock.after(intervalMs, () => {
      arm();
      work();
    });
  };
  arm();
  return { [Symbol.dispose]: () => next[Symbol.dispose]() };
}
