import { expect, test } from 'vitest';
import { read } from '../support/documents.ts';
import { measure, OWN_PAGES, sizeIn } from './sizes.ts';

test.each(Object.values(OWN_PAGES))(
  'a page with $name is at most 5 % above its size in the README',
  async (page) => {
    const bytes = await measure(page);
    expect(bytes).toBeLessThanOrEqual(sizeIn(read('packages/client/README.md'), page.name) * 1.05);
    if (page.mark !== undefined) expect(bytes).toBeLessThanOrEqual(page.mark);
  },
);
