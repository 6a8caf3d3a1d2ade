import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DOCUMENTS, read } from '../support/documents.ts';

test.each(Object.entries(DOCUMENTS))(
  '%s says what the source says (npm run schema prints it)',
  (file, print) => {
    expect(read(file)).toBe(print());
  },
);

test('every test that the architecture names is there', () => {
  const laws = read('docs/architecture.md').split('## The laws')[1]?.split('\n## ')[0] ?? '';
  const names = [...laws.matchAll(/`([a-z]+(?:\/[a-z-]+)?)`/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(15);
  const missing = names.filter((name) =>
    [`test/${name}.test.ts`, `test/${name}.ts`].every(
      (file) => !existsSync(new URL(`../../${file}`, import.meta.url)),
    ),
  );
  expect(missing).toEqual([]);
});
