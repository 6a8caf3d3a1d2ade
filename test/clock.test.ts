import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every, systemClock } from '../src/clock.ts';
import { createManualClock } from './support/clock.ts';

const START = Date.UTC(2030, 0, 1);
const MAX_TIMER_MS = 2 ** 31 - 1;
const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Schedules work at `epochMs` and records when it ran. */
function schedule(epochMs: number) {
  const ranAt: number[] = [];
  const timer = systemClock.at(epochMs, () => ranAt.push(Date.now()));
  return { ranAt, cancel: () => timer[Symbol.dispose]() };
}

test('systemClock.now returns the system time', () => {
  expect(systemClock.now()).toBe(START);
  vi.advanceTimersByTime(5);
  expect(systemClock.now()).toBe(START + 5);
});

test.each([1, 1000, MAX_TIMER_MS - 1, MAX_TIMER_MS, MAX_TIMER_MS + 1, 90 * DAY_MS])(
  'work that is due in %i ms runs once, on time',
  (ms) => {
    const { ranAt } = schedule(START + ms);
    for (let timers = Math.ceil(ms / MAX_TIMER_MS); timers > 0; timers--) {
      expect(ranAt).toEqual([]);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersToNextTimer();
    }
    expect(ranAt).toEqual([START + ms]);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test.each([0, DAY_MS])('work that was due %i ms ago runs asynchronously, in the next turn', (ms) => {
  const { ranAt } = schedule(START - ms);
  expect(ranAt).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ranAt).toHaveLength(1);
});

test.each([0, 1, 2])(
  'cancelled work never runs, also when it is cancelled after %i intermediate timers',
  (timers) => {
    const { ranAt, cancel } = schedule(START + 90 * DAY_MS);
    for (let nth = 0; nth < timers; nth++) vi.advanceTimersToNextTimer();
    cancel();
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    expect(ranAt).toEqual([]);
  },
);

test('work does not run early when the clock is set back or a timer fires early', () => {
  const { ranAt } = schedule(START + 1000);
  vi.setSystemTime(START - 5000);
  vi.advanceTimersByTime(5999);
  expect(ranAt).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ranAt).toEqual([START + 1000]);
});

test('work runs when the system clock is set forward beyond its time', async () => {
  vi.useRealTimers();
  const now = vi.spyOn(Date, 'now');
  try {
    const start = Date.now();
    const ran: string[] = [];
    using _due = systemClock.at(start + 3_000_000, () => ran.push('due'));
    using _later = systemClock.at(start + 9_000_000, () => ran.push('later'));
    using cancelled = systemClock.at(start + 3_000_000, () => ran.push('cancelled'));
    cancelled[Symbol.dispose]();
    const set = performance.now();
    now.mockImplementation(() => start + 3_600_000 + (performance.now() - set));
    await expect.poll(() => ran, { interval: 20 }).toEqual(['due']);
  } finally {
    now.mockRestore();
  }
});

test('every repeats its work until it is disposed, also after the work throws', async () => {
  const clock = createManualClock(START);
  const ranAt: number[] = [];
  const series = every(clock, 100, () => {
    ranAt.push(clock.now() - START);
    if (ranAt.length === 2) throw new RangeError('on purpose');
  });
  await clock.advance(150);
  await expect(clock.advance(100)).rejects.toThrow(RangeError);
  await clock.advance(150);
  expect(ranAt).toEqual([100, 200, 300]);
  series[Symbol.dispose]();
  await clock.advance(1000);
  expect(ranAt).toHaveLength(3);
});
