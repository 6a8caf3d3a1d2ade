import { expect, test } from 'vitest';
import { createClockHistory } from '../src/clock-history.ts';
import { createManualClock } from './support/clock.ts';

const START = Date.UTC(2030, 0, 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function createHistory() {
  const clock = createManualClock(START);
  const jumps: number[] = [];
  return { clock, jumps, history: createClockHistory(clock, (ms) => jumps.push(ms)) };
}

test.each([HOUR_MS, -HOUR_MS])(
  'the time ago is what the clock showed then, before and after a jump of %i ms',
  async (jump) => {
    const { clock, jumps, history } = createHistory();
    await clock.advance(10 * MINUTE_MS);
    clock.jump(jump);
    expect(history.ago(5 * MINUTE_MS)).toEqual({ time: START + 5 * MINUTE_MS, index: 0 });
    await clock.advance(4 * MINUTE_MS);
    expect(history.ago(5 * MINUTE_MS)).toEqual({ time: START + 9 * MINUTE_MS, index: 0 });
    await clock.advance(2 * MINUTE_MS);
    expect(history.ago(5 * MINUTE_MS)).toEqual({ time: START + jump + 11 * MINUTE_MS, index: 1 });
    expect(jumps).toEqual([jump]);
  },
);

test('the settled time leaves a jump forward out until it is old enough, and follows a jump back at once', async () => {
  const { clock, history } = createHistory();
  await clock.advance(MINUTE_MS);
  clock.jump(48 * HOUR_MS);
  expect(history.settledNow(HOUR_MS)).toBe(START + MINUTE_MS);
  await clock.advance(HOUR_MS - 1);
  expect(history.settledNow(HOUR_MS)).toBe(START + MINUTE_MS + HOUR_MS - 1);
  await clock.advance(1);
  expect(history.settledNow(HOUR_MS)).toBe(clock.now());
  clock.jump(-HOUR_MS);
  expect(history.settledNow(HOUR_MS)).toBe(clock.now());
});

test('a clock that is corrected little by little does not jump', async () => {
  const { clock, jumps, history } = createHistory();
  for (let hour = 0; hour < 100; hour++) {
    await clock.advance(HOUR_MS);
    clock.jump(400);
    history.sample();
  }
  expect(jumps).toEqual([]);
  expect(history.sample().length).toBeLessThan(100);
});
