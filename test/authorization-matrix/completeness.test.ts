import { expect, test } from 'vitest';
import { CALLS, documentOf, rootFields } from './calls.ts';

test('every root field is in the table of calls, and no other is', () => {
  const named = new Set(CALLS.map(({ type, field }) => `${type} ${field}`));
  expect([...named].sort()).toEqual(rootFields().sort());
});

test('every call has a title of its own, and a document', () => {
  expect(new Set(CALLS.map(({ title }) => title)).size).toBe(CALLS.length);
  for (const call of CALLS) expect(documentOf(call)).toContain(call.field);
});
