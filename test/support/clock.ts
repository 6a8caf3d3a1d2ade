import { type Clock } from '../../src/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Goes on by so many milliseconds and runs, in order, what is due on the way; then lets what it set off run. */
  advance(ms: number): Promise<void>;
}

interface Due {
  at: number;
  work: () => void;
}

export function createManualClock(now = Date.UTC(2030, 0, 1)): ManualClock {
  const due = new Set<Due>();

  return {
    now: () => now,
    at(epochMs, work) {
      const entry = { at: epochMs, work };
      due.add(entry);
      return { [Symbol.dispose]: () => due.delete(entry) };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...due].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due.delete(next);
        now = Math.max(now, next.at);
        next.work();
        // What it set off may set timers of its own before the next one is due.
        await new Promise(setImmediate);
      }
      now = end;
      await new Promise(setImmediate);
    },
  };
}
