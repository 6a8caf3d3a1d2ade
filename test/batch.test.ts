import fc from 'fast-check';
import { expect, test } from 'vitest';
import { internBatch } from '../src/batch.ts';

interface Thing {
  n: number;
}

const things = (count: number): Thing[] => Array.from({ length: count }, (_, n) => ({ n }));

test('the same things are the same run, whoever asks; others are others, and none ever changes', () => {
  const asked = fc.array(fc.uniqueArray(fc.nat(3), { maxLength: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(asked, (lists) => {
      const pool = things(4);
      const given = lists.map((list) => {
        const run = internBatch(list.map((n) => pool[n]!));
        // Asked for again before anything else, it is there still.
        if (list.length > 0) expect(internBatch(list.map((n) => pool[n]!))).toBe(run);
        return run;
      });
      given.forEach((run, index) => {
        expect(run.map(({ n }) => n)).toEqual(lists[index]);
        expect(run.every((thing) => thing === pool[thing.n])).toBe(true);
      });
    }),
  );
});

test('things that only look alike are not the same', () => {
  const [first, one, other] = [{ n: 0 }, { n: 1 }, { n: 1 }];
  const run = internBatch([first, one]);
  expect(internBatch([first, other])).not.toBe(run);
  expect(internBatch([first, other])[1]).toBe(other);
  expect(internBatch([first, one])).toBe(run);
});

test('the beginning of a run is another run, and so is another order', () => {
  const [a, b] = things(2) as [Thing, Thing];
  const runAll = () => [internBatch([a]), internBatch([a, b]), internBatch([b, a]), internBatch([a, a])];
  const runs = runAll();
  expect(new Set(runs).size).toBe(4);
  runAll().forEach((run, index) => expect(run).toBe(runs[index]));
});

test('nothing is a run of nothing', () => {
  const nothing: Thing[] = [];
  expect(internBatch(nothing)).toEqual([]);
  expect(internBatch(nothing)).toBe(nothing);
});

test('of those that begin alike the last four are known, however many there were', () => {
  const first = { n: -1 };
  const others = things(50);
  const elsewhere = internBatch([others[0]!]);
  const runs = others.map((other) => internBatch([first, other]));
  for (const index of [49, 48, 47, 46]) expect(internBatch([first, others[index]!])).toBe(runs[index]);
  // One that is known no more is made anew, and is right all the same.
  const again = internBatch([first, others[0]!]);
  expect(again).not.toBe(runs[0]);
  expect(again).toEqual([first, others[0]]);
  // Whatever begins otherwise is not forgotten for it.
  expect(internBatch([others[0]!])).toBe(elsewhere);
});
