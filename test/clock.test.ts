import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every, systemClock } from '../src/clock.ts';
import { createManualClock } from './support/clock.ts';

const START = Date.UTC(2030, 0, 1);
const MAX_TIMER_MS = 2 ** 31 - 1;
const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Runs what is due at `epochMs`; tells when it ran. */
function due(epochMs: number) {
  const ranAt: number[] = [];
  const timer = systemClock.at(epochMs, () => ranAt.push(Date.now()));
  return { ranAt, cancel: () => timer[Symbol.dispose]() };
}

test('the system clock tells the time of the system', () => {
  expect(systemClock.now()).toBe(START);
  vi.advanceTimersByTime(5);
  expect(systemClock.now()).toBe(START + 5);
});

test.each([1, 1000, MAX_TIMER_MS - 1, MAX_TIMER_MS, MAX_TIMER_MS + 1, 90 * DAY_MS])(
  'work that is due in %i ms runs then, once',
  (ms) => {
    const { ranAt } = due(START + ms);
    for (let timers = Math.ceil(ms / MAX_TIMER_MS); timers > 0; timers--) {
      expect(ranAt).toEqual([]);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersToNextTimer();
    }
    expect(ranAt).toEqual([START + ms]);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test.each([0, DAY_MS])('work that was due %i ms ago runs in the next turn, not in this one', (ms) => {
  const { ranAt } = due(START - ms);
  expect(ranAt).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ranAt).toHaveLength(1);
});

test.each([0, 1, 2])('work that is cancelled never runs, also after %i timers on the way to it', (timers) => {
  const { ranAt, cancel } = due(START + 90 * DAY_MS);
  for (let nth = 0; nth < timers; nth++) vi.advanceTimersToNextTimer();
  cancel();
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  expect(ranAt).toEqual([]);
});

test('a clock that is set back, or a timer that fires early, does not bring forward what is due', () => {
  const { ranAt } = due(START + 1000);
  vi.setSystemTime(START - 5000);
  vi.advanceTimersByTime(5999);
  expect(ranAt).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ranAt).toEqual([START + 1000]);
});

test('what runs every so often runs until it is disposed, also after a run that failed', async () => {
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
