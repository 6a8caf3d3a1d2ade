import { expect, test } from 'vitest';
import { DOCUMENTS, read } from '../support/documents.ts';

test.each(Object.entries(DOCUMENTS))(
  '%s says what the source says (npm run schema prints it)',
  (file, print) => {
    expect(read(file)).toBe(print());
  },
);
