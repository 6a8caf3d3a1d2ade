import { expect, test } from 'vitest';
import { read } from '../support/documents.ts';
import { measure, OWN_PAGES, sizeIn } from './sizes.ts';

// The SDK for backends has no limit: it is not loaded over a network by each user.
const LIMITED = [OWN_PAGES.client, OWN_PAGES.tabs, OWN_PAGES.react];

test.each(LIMITED)('a page with $name is at most 5 % above its size in the README', async (page) => {
  const bytes = await measure(page);
  expect(bytes).toBeLessThanOrEqual(sizeIn(read('packages/client/README.md'), page.name) * 1.05);
  expect(bytes).toBeLessThanOrEqual(page.mark);
});
