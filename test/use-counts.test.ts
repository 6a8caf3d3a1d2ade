import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UseCounts } from '../src/use-counts.ts';

const SCOPES = ['one', 'two'];
const KEYS = ['a', 'b', 'c'];

test('counts uses as a list of them does, after any additions and removals', () => {
  const step = fc.record({
    isAdded: fc.boolean(),
    scope: fc.constantFrom(...SCOPES),
    key: fc.constantFrom(...KEYS),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const counts = new UseCounts<string>();
      const uses: Record<string, string[]> = { one: [], two: [] };
      for (const { isAdded, scope, key } of steps) {
        const list = uses[scope]!;
        const index = list.indexOf(key);
        if (isAdded) {
          counts.add(scope, key);
          list.push(key);
        } else {
          counts.remove(scope, key);
          if (index >= 0) list.splice(index, 1);
        }
        for (const each of SCOPES) {
          const expected = [...new Set(uses[each])].sort();
          expect(counts.keys(each).sort()).toEqual(expected);
          expect(counts.distinct(each)).toBe(expected.length);
          for (const known of KEYS) expect(counts.has(each, known)).toBe(expected.includes(known));
        }
      }
    }),
  );
});
