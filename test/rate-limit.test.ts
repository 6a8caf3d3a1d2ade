import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SignalboxError } from '../src/errors.ts';
import { RateLimit } from '../src/rate-limit.ts';
import { createManualClock } from './support/clock.ts';

/** Whether `key` gets its share, or in how many seconds it should ask again. */
function ask(limit: RateLimit, key: string): true | number {
  try {
    limit.take(key);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    return (error as SignalboxError).fields.retryAfterSeconds!;
  }
}

/** Quarters of a second, which floating point holds as they are. */
const waitMs = fc.constantFrom(0, 0, 0, 0, 250, 500, 1000, 2000, 2250, 9750);
const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), waitMs });

test('each key has a bucket of its own, full at first, that fills by so much a second up to twice that', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (rate, steps) => {
        const clock = createManualClock();
        const limit = new RateLimit(clock, rate, 'calls');
        const buckets = new Map(['a', 'b', 'c'].map((key) => [key, rate * 2]));
        for (const { key, waitMs: waited } of steps) {
          await clock.advance(waited);
          for (const [known, left] of buckets)
            buckets.set(known, Math.min(rate * 2, left + (waited / 1000) * rate));
          const left = buckets.get(key)!;
          expect(ask(limit, key) === true).toBe(left >= 1);
          if (left >= 1) buckets.set(key, left - 1);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('whoever waits as long as it is told gets its share', async () => {
  const waits = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), waits, async (rate, pauses) => {
      const clock = createManualClock();
      const limit = new RateLimit(clock, rate, 'calls');
      for (const pause of pauses) {
        await clock.advance(pause);
        const answer = ask(limit, 'a');
        if (answer === true) continue;
        expect(answer).toBeGreaterThanOrEqual(1);
        await clock.advance(answer * 1000);
        expect(ask(limit, 'a')).toBe(true);
      }
    }),
  );
});

test('a refusal says what there was too much of, and how much is allowed', () => {
  const limit = new RateLimit(createManualClock(), 1, 'publishes by this token');
  limit.take('a');
  limit.take('a');
  expect(() => limit.take('a')).toThrow('Too many publishes by this token: at most 1 a second.');
});

test('a clock that is set back does not lock anybody out', () => {
  let now = Date.UTC(2030, 0, 1);
  const limit = new RateLimit({ ...createManualClock(), now: () => now }, 1, 'calls');
  limit.take('a');
  limit.take('a');
  now -= 3_600_000;
  expect(ask(limit, 'a')).toBe(1);
  now += 1000;
  expect(ask(limit, 'a')).toBe(true);
});

test('keys that are used once are not kept, however many there are, also after the clock was set back', () => {
  let now = Date.UTC(2030, 0, 1);
  const limit = new RateLimit({ ...createManualClock(), now: () => now }, 1, 'calls');
  const useKeys = (from: number) => {
    for (let nth = from; nth < from + 20_000; nth++) {
      now += 1;
      // Of bytes of its own: what is put together of strings may share theirs.
      limit.take(Buffer.alloc(2000, `key ${nth} `).toString('latin1'));
    }
  };
  const before = heapMegabytes();
  useKeys(0);
  now -= 3_600_000;
  useKeys(20_000);
  // 80 MB of keys came by; those of the last four seconds are 8.
  expect(heapMegabytes() - before).toBeLessThan(30);
});

/** After collecting what is garbage. */
function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
