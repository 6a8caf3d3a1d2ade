import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergePatch } from '../../src/channels/merge-patch.ts';
import { type Json } from '../../src/names.ts';

/** RFC 7396, appendix A: original, patch, result. */
const APPENDIX_A: [string, string, string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

test.each(APPENDIX_A)('patches %s with %s to %s (RFC 7396, appendix A)', (original, patch, result) => {
  expect(mergePatch(JSON.parse(original), JSON.parse(patch))).toEqual(JSON.parse(result));
});

/** Few names, so that patches hit existing members; some are properties of Object.prototype or Array. */
const names = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString', 'length');
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, null, true, 0, 'text'),
    fc.array(tie('json'), { maxLength: 2 }),
    fc.array(fc.tuple(names, tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test('yields the result of the RFC’s pseudo code for any target and patch, and changes neither (1,000 runs)', () => {
  fc.assert(
    fc.property(json as fc.Arbitrary<Json>, json as fc.Arbitrary<Json>, (target, patch) => {
      const before = JSON.stringify([target, patch]);
      const patched = mergePatch(target, patch);
      expect(canonicalJson(patched)).toBe(canonicalJson(rfc7396(target, patch)));
      expect(JSON.stringify([target, patch])).toBe(before);
    }),
    { numRuns: 1000 },
  );
});

test('yields the same result when a patch is applied twice', () => {
  fc.assert(
    fc.property(json as fc.Arbitrary<Json>, json as fc.Arbitrary<Json>, (target, patch) => {
      const once = mergePatch(target, patch);
      expect(canonicalJson(mergePatch(once, patch))).toBe(canonicalJson(once));
    }),
  );
});

test('treats names such as __proto__ as plain data and leaves prototypes unchanged', () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
  const patched = mergePatch({ kept: 1 }, hostile);
  expect(JSON.parse(JSON.stringify(patched))).toEqual({
    kept: 1,
    ...JSON.parse(JSON.stringify(hostile)),
  });
  expect(Object.getOwnPropertyNames(patched)).toEqual(['kept', '__proto__', 'constructor']);
  expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
  expect('polluted' in {}).toBe(false);
  expect((patched as { polluted?: boolean }).polluted).toBeUndefined();
  expect(JSON.stringify(mergePatch(patched, JSON.parse('{"__proto__":null,"constructor":null}')))).toBe(
    '{"kept":1}',
  );
});

/** The pseudo code of RFC 7396, section 2. Uses lists of members, so that no name has a special meaning. */
function rfc7396(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  let members = isObject(target) ? Object.entries(target) : [];
  for (const [name, value] of Object.entries(patch)) {
    const existing = members.find(([memberName]) => memberName === name);
    if (value === null) members = members.filter((member) => member !== existing);
    else if (existing) existing[1] = rfc7396(existing[1], value);
    else members.push([name, rfc7396(null, value)]);
  }
  return Object.fromEntries(members);
}

const isObject = (value: Json): value is { [key: string]: Json } =>
  Object.prototype.toString.call(value) === '[object Object]';

/** JSON with sorted members, because the order of members is not significant. */
function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join()}}`;
}
