import fc from 'fast-check';
import { expect, test } from 'vitest';
import { internBatch } from '../src/batch.ts';

interface Value {
  n: number;
}

const values = (count: number): Value[] => Array.from({ length: count }, (_, n) => ({ n }));

test('internBatch returns the same object for the same values, a different one for others, and never changes a batch', () => {
  const requests = fc.array(fc.uniqueArray(fc.nat(3), { maxLength: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(requests, (lists) => {
      const pool = values(4);
      const batches = lists.map((list) => {
        const batch = internBatch(list.map((n) => pool[n]!));
        // An immediate repeat must find the batch.
        if (list.length > 0) expect(internBatch(list.map((n) => pool[n]!))).toBe(batch);
        return batch;
      });
      batches.forEach((batch, index) => {
        expect(batch.map(({ n }) => n)).toEqual(lists[index]);
        expect(batch.every((value) => value === pool[value.n])).toBe(true);
      });
    }),
  );
});

test('internBatch compares values by identity, not by content', () => {
  const [first, one, other] = [{ n: 0 }, { n: 1 }, { n: 1 }];
  const batch = internBatch([first, one]);
  expect(internBatch([first, other])).not.toBe(batch);
  expect(internBatch([first, other])[1]).toBe(other);
  expect(internBatch([first, one])).toBe(batch);
});

test('internBatch distinguishes a batch from its prefix and from the same values in another order', () => {
  const [a, b] = values(2) as [Value, Value];
  const internAll = () => [internBatch([a]), internBatch([a, b]), internBatch([b, a]), internBatch([a, a])];
  const batches = internAll();
  expect(new Set(batches).size).toBe(4);
  internAll().forEach((batch, index) => expect(batch).toBe(batches[index]));
});

test('internBatch returns an empty list as it is', () => {
  const empty: Value[] = [];
  expect(internBatch(empty)).toEqual([]);
  expect(internBatch(empty)).toBe(empty);
});

test('internBatch remembers the last four batches per first value, however many there were', () => {
  const first = { n: -1 };
  const others = values(50);
  const otherFirst = internBatch([others[0]!]);
  const batches = others.map((other) => internBatch([first, other]));
  for (const index of [49, 48, 47, 46]) expect(internBatch([first, others[index]!])).toBe(batches[index]);
  // A forgotten batch is replaced by a new one with the same values.
  const again = internBatch([first, others[0]!]);
  expect(again).not.toBe(batches[0]);
  expect(again).toEqual([first, others[0]]);
  // Batches with another first value are not evicted.
  expect(internBatch([others[0]!])).toBe(otherFirst);
});
