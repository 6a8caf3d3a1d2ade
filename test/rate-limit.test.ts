import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SignalboxError } from '../src/errors.ts';
import { RateLimit } from '../src/rate-limit.ts';
import { createManualClock } from './support/clock.ts';

/** Returns true if `take` succeeds; otherwise the seconds after which to retry. */
function tryTake(limit: RateLimit, key: string): true | number {
  try {
    limit.take(key);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    return (error as SignalboxError).fields.retryAfterSeconds!;
  }
}

/** Multiples of 250 ms, which floating-point numbers represent exactly in seconds. */
const waitMs = fc.constantFrom(0, 0, 0, 0, 250, 500, 1000, 2000, 2250, 9750);
const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), waitMs });

test('each key has its own bucket, which starts full and refills at the rate up to twice the rate', async () => {
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
          expect(tryTake(limit, key) === true).toBe(left >= 1);
          if (left >= 1) buckets.set(key, left - 1);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('take succeeds after retryAfterSeconds', async () => {
  const waits = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), waits, async (rate, waitsMs) => {
      const clock = createManualClock();
      const limit = new RateLimit(clock, rate, 'calls');
      for (const waitedMs of waitsMs) {
        await clock.advance(waitedMs);
        const result = tryTake(limit, 'a');
        if (result === true) continue;
        expect(result).toBeGreaterThanOrEqual(1);
        await clock.advance(result * 1000);
        expect(tryTake(limit, 'a')).toBe(true);
      }
    }),
  );
});

test('the error names the limited action and the limit', () => {
  const limit = new RateLimit(createManualClock(), 1, 'publishes by this token');
  limit.take('a');
  limit.take('a');
  expect(() => limit.take('a')).toThrow('Too many publishes by this token: at most 1 a second.');
});

test('a key is not locked out when the clock is set back', () => {
  let now = Date.UTC(2030, 0, 1);
  const limit = new RateLimit({ ...createManualClock(), now: () => now }, 1, 'calls');
  limit.take('a');
  limit.take('a');
  now -= 3_600_000;
  expect(tryTake(limit, 'a')).toBe(1);
  now += 1000;
  expect(tryTake(limit, 'a')).toBe(true);
});

test('memory stays bounded with many keys that are used once, also after the clock is set back', () => {
  let now = Date.UTC(2030, 0, 1);
  const limit = new RateLimit({ ...createManualClock(), now: () => now }, 1, 'calls');
  const useKeys = (from: number) => {
    for (let nth = from; nth < from + 20_000; nth++) {
      now += 1;
      // A string from a buffer has its own memory; a concatenated string may share it.
      limit.take(Buffer.alloc(2000, `key ${nth} `).toString('latin1'));
    }
  };
  const before = heapMegabytes();
  useKeys(0);
  now -= 3_600_000;
  useKeys(20_000);
  // All keys together have 80 MB; those of the last four seconds have 8 MB.
  expect(heapMegabytes() - before).toBeLessThan(30);
});

/** The heap size after a garbage collection. */
function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
