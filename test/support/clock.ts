import { type Clock } from '../../src/clock.ts';

/** A clock that advances only when a test calls `advance`. */
export interface ManualClock extends Clock {
  /** Sets the system time forward or, if `ms` is negative, back. No time elapses. */
  jump(ms: number): void;
  /** Advances the time by `ms` milliseconds, runs the due timers in order, and lets the work that they started run. */
  advance(ms: number): Promise<void>;
}

interface Timer {
  at: number;
  work: () => void;
}

export function createManualClock(now = Date.UTC(2030, 0, 1)): ManualClock {
  const timers = new Set<Timer>();
  const startedAt = now;
  let jumped = 0;

  function at(epochMs: number, work: () => void): Disposable {
    const entry = { at: epochMs, work };
    timers.add(entry);
    return { [Symbol.dispose]: () => timers.delete(entry) };
  }

  return {
    now: () => now + jumped,
    at: (epochMs, work) => at(epochMs - jumped, work),
    monotonic: () => now - startedAt,
    after: (ms, work) => at(now + ms, work),
    jump: (ms) => void (jumped += ms),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.work();
        // The timer may have started work that sets further timers before the next one is due.
        await new Promise(setImmediate);
      }
      now = end;
      await new Promise(setImmediate);
    },
  };
}
