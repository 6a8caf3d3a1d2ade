import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Multimap } from '../src/multimap.ts';

const KEYS = ['a', 'b'];
const VALUES = [{ n: 1 }, { n: 2 }, { n: 3 }];

const step = fc.record({
  operation: fc.constantFrom('add' as const, 'delete' as const),
  key: fc.constantFrom(...KEYS),
  value: fc.constantFrom(...VALUES),
});

test('Multimap holds the values that were added and not deleted, one or several per key', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const map = new Multimap<object>();
      const model = new Map(KEYS.map((key) => [key, new Set<object>()]));
      for (const { operation, key, value } of steps) {
        const values = model.get(key)!;
        if (operation === 'add') {
          map.add(key, value);
          values.add(value);
        } else expect(map.delete(key, value)).toBe(values.delete(value));
        for (const [name, expected] of model) {
          expect(new Set(map.of(name))).toEqual(expected);
          expect(map.countOf(name)).toBe(expected.size);
          for (const one of VALUES) expect(map.has(name, one)).toBe(expected.has(one));
        }
        expect(map.size).toBe([...model.values()].filter(({ size }) => size > 0).length);
      }
    }),
  );
});
