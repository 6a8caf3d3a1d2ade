import { type PageSignal, type Runtime } from '../../src/runtime.ts';

/** Lets every promise that is resolved now go on. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Clock, randomness and page of a client under test. Time passes only when the test says so. */
export interface ModelClock {
  readonly runtime: Omit<Runtime, 'webSocket' | 'fetch'>;
  now(): number;
  /** The system clock of the client is set forward or back. Timers are not affected. */
  set(ms: number): void;
  /** Timers of the client that are set now. */
  readonly timers: number;
  /** Listeners of the client for signals of the page. */
  readonly listeners: number;
  signal(signal: PageSignal): void;
  /** Lets time pass. `scheduledTasks` are what else happens at its time: each tells when it is next due, and does what is due. */
  advance(ms: number, scheduledTasks: { nextAt(): number; run(): void }): Promise<void>;
}

export function createModelClock(seed: number): ModelClock {
  const timers = new Map<object, { at: number; action: () => void }>();
  const listeners = new Set<(signal: PageSignal) => void>();
  let time = 1_000_000;
  let state = seed;
  let setBy = 0;

  const nextTimer = () =>
    [...timers].reduce<[object, { at: number }] | undefined>(
      (first, entry) => (!first || entry[1].at < first[1].at ? entry : first),
      undefined,
    );

  return {
    runtime: {
      now: () => time + setBy,
      setTimer(action, ms) {
        const timer = {};
        timers.set(timer, { at: time + ms, action });
        return timer;
      },
      clearTimer: (timer) => void timers.delete(timer as object),
      random() {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return state / 2 ** 31;
      },
      onPageSignal(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    now: () => time,
    set: (ms) => void (setBy += ms),
    get timers() {
      return timers.size;
    },
    get listeners() {
      return listeners.size;
    },
    signal: (signal) => [...listeners].forEach((listener) => listener(signal)),
    async advance(ms, scheduledTasks) {
      const end = time + ms;
      for (;;) {
        const next = nextTimer();
        const at = Math.min(next?.[1].at ?? Infinity, scheduledTasks.nextAt());
        if (at > end) break;
        time = Math.max(time, at);
        scheduledTasks.run();
        if (next && next[1].at <= time) {
          const timer = timers.get(next[0]);
          timers.delete(next[0]);
          timer?.action();
        }
        await settle();
      }
      time = end;
    },
  };
}
