import { expect, test } from 'vitest';
import { type PageRequest } from '../src/paging.ts';
import { selectedPage } from '../src/schema/paging.ts';

test('a page of few among many entries reads them by the hundred, and leaves the turn in between', async () => {
  const entries = Array.from({ length: 20_000 }, (_, nth) => String(nth).padStart(5, '0'));
  let reads = 0;
  const read = async ({ first, after = '' }: PageRequest) => {
    reads++;
    const start = after === '' ? 0 : Number(after) + 1;
    return { items: entries.slice(start, start + first), hasMore: start + first < entries.length };
  };
  let turns = 0;
  let timer = setImmediate(function count() {
    turns++;
    timer = setImmediate(count);
  });
  const page = await selectedPage(
    { first: 1 },
    read,
    (entry) => entry,
    async (entry) => (entry === '19999' ? entry : undefined),
  );
  clearImmediate(timer);
  expect(page).toEqual({ items: ['19999'], hasMore: false });
  expect(reads).toBe(201);
  expect(turns).toBeGreaterThanOrEqual(3);
});
