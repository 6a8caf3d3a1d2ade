import { expect, test } from 'vitest';
import { type ErrorCode } from '../../src/errors.ts';
import { ACCEPTED_CALLERS, CHANNELS } from './callers.ts';
import { descriptionOf, documentOf, reportsRefusalInData, rootFields } from './call-documents.ts';
import { CALLS, type Call } from './calls.ts';
import { expectedRefusal } from './rules.ts';

test('the table of calls contains exactly the root fields of the schema', () => {
  const named = new Set(CALLS.map(({ type, field }) => `${type} ${field}`));
  expect([...named].sort()).toEqual(rootFields().sort());
});

test('every call has a unique title and a document', () => {
  expect(new Set(CALLS.map(({ title }) => title)).size).toBe(CALLS.length);
  for (const call of CALLS) expect(documentOf(call)).toContain(call.field);
});

test('the description of every root field names each code with which it refuses a caller', () => {
  const missing = CALLS.filter((call) => !reportsRefusalInData(call)).flatMap((call) => {
    const [, named = ''] = descriptionOf(call).split('Throws');
    return refusalsOf(call)
      .filter((code) => !named.includes(code))
      .map((code) => `${call.title}: ${code}`);
  });
  expect(missing).toEqual([]);
});

/** The codes of the refusals that the matrix expects for a call. */
function refusalsOf(call: Call): ErrorCode[] {
  const codes = Object.values(ACCEPTED_CALLERS).flatMap((caller) =>
    CHANNELS.flatMap((channel) =>
      [true, false].map((isSocket) => expectedRefusal(call, caller, channel, isSocket)),
    ),
  );
  return [...new Set(codes)].filter((code) => code !== null);
}
