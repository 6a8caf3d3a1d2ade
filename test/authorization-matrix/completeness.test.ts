import { expect, test } from 'vitest';
import { documentOf, rootFields } from './call-documents.ts';
import { CALLS } from './calls.ts';

test('the table of calls contains exactly the root fields of the schema', () => {
  const named = new Set(CALLS.map(({ type, field }) => `${type} ${field}`));
  expect([...named].sort()).toEqual(rootFields().sort());
});

test('every call has a unique title and a document', () => {
  expect(new Set(CALLS.map(({ title }) => title)).size).toBe(CALLS.length);
  for (const call of CALLS) expect(documentOf(call)).toContain(call.field);
});
