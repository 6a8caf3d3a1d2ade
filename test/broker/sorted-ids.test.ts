import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstIds } from '../../src/broker/sorted-ids.ts';

const id = fc.integer({ min: 100, max: 999 }).map(String);

test('firstIds returns what sorting all distinct ids would', () => {
  fc.assert(
    fc.property(
      fc.array(id, { minLength: 60, maxLength: 200 }),
      fc.option(id, { nil: undefined, freq: 2 }),
      fc.integer({ min: 1, max: 9 }),
      (ids, after, limit) => {
        const all = [...new Set(ids)].sort().filter((each) => each > (after ?? ''));
        expect(firstIds(ids, { after, limit })).toEqual(all.slice(0, limit));
      },
    ),
  );
});
