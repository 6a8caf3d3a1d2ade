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

/** How often the system clock is compared with elapsed time while work waits for a time of it, in milliseconds. */
const COMPARE_MS = 500;
/** Timers are armed again in slices of this many, so that no turn of the event loop is long. */
const REARMED_PER_TURN = 1000;

/** The work that waits for a time of the system clock; each function arms its timer again. */
const waiting = new Set<() => void>();
let comparison: NodeJS.Timeout | undefined;
let offset = 0;

const offsetOfClock = () => Date.now() - performance.now();

/**
 * Arms all timers again after the system clock was set forward, or the machine was suspended: timers count elapsed time, and
 * would fire as late as the clock jumped.
 */
function compareClocks(): void {
  if (waiting.size === 0) {
    clearInterval(comparison);
    comparison = undefined;
    return;
  }
  const current = offsetOfClock();
  if (current - offset >= COMPARE_MS) rearm([...waiting]);
  if (Math.abs(current - offset) >= COMPARE_MS) offset = current;
}

function rearm(work: readonly (() => void)[]): void {
  for (const arm of work.slice(0, REARMED_PER_TURN)) if (waiting.has(arm)) arm();
  if (work.length > REARMED_PER_TURN) setImmediate(rearm, work.slice(REARMED_PER_TURN));
}

function wait(arm: () => void): void {
  if (waiting.size === 0) offset = offsetOfClock();
  waiting.add(arm);
  comparison ??= setInterval(compareClocks, COMPARE_MS).unref();
}

export const systemClock: Clock = {
  now: () => Date.now(),
  at(epochMs, work) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      clearTimeout(timer);
      const left = Math.max(0, epochMs - Date.now());
      timer = setTimeout(fire, Math.min(left, MAX_TIMER_MS));
      timer.unref();
    };
    const end = () => {
      clearTimeout(timer);
      waiting.delete(arm);
    };
    const fire = () => {
      // A timer fires early when the system clock was set back.
      if (Date.now() < epochMs) return arm();
      end();
      work();
    };
    arm();
    wait(arm);
    return { [Symbol.dispose]: end };
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
