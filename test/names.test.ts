import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeName, parseJson, parseName, parseText, type NameKind } from '../src/names.ts';

/** The rules once more, each as a regular expression. */
const RULES: Record<NameKind, { pattern: RegExp; max: number }> = {
  channel: { pattern: /^[A-Za-z0-9_.:@-]+$/, max: 255 },
  project: { pattern: /^[a-z0-9-]+$/, max: 63 },
  identity: { pattern: /^[A-Za-z0-9_.|~-]+$/, max: 255 },
  emailIdentity: { pattern: /^[A-Za-z0-9_.|~@+-]+$/, max: 255 },
  anyIdentity: { pattern: /^[!-~]+$/, max: 255 },
  role: { pattern: /^[A-Za-z0-9_-]+$/, max: 64 },
  event: { pattern: /^[A-Za-z0-9_.:~-]+$/, max: 128 },
  idempotencyKey: { pattern: /^[!-~]+$/, max: 255 },
};
const kinds = Object.keys(RULES) as NameKind[];
const kind = fc.constantFrom(...kinds);

/** Mostly what is allowed, with something from all of Unicode in between. */
const nearlyAName = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...Array.from('aZ0_.:@|~- *\n')) },
      fc.string({ unit: 'binary', maxLength: 1 }),
    ),
  )
  .map((characters) => characters.join(''));

function refusalOf(work: () => unknown): { code: string; message: string; fields: object } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as { code: string; message: string; fields: object };
  }
}

test('a name is taken as it is when its rule allows every character, and refused otherwise', () => {
  fc.assert(
    fc.property(kind, nearlyAName, (of, text) => {
      const isAllowed = RULES[of].pattern.test(text) && text.length <= RULES[of].max;
      const refusal = refusalOf(() => expect(parseName(of, text, 'input.id')).toBe(text));
      expect(refusal === undefined).toBe(isAllowed);
      if (refusal) expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: { field: 'input.id' } });
    }),
    { numRuns: 2000 },
  );
});

test('a refusal names the first character that is not allowed, whole, and its position', () => {
  fc.assert(
    fc.property(
      kind,
      fc.nat(20),
      fc.constantFrom('/', ' ', 'é', '\u0000', '𝄞', '\ud834'),
      (of, position, bad) => {
        fc.pre(!RULES[of].pattern.test(bad));
        const refusal = refusalOf(() => parseName(of, `${'a'.repeat(position)}${bad}${bad}`, 'id'));
        expect(refusal?.message).toContain(`id: has ${JSON.stringify(bad)} at position ${position};`);
      },
    ),
  );
});

test.each(kinds)('a %s may be as long as its rule says and no longer', (of) => {
  const { max } = RULES[of];
  expect(parseName(of, 'a'.repeat(max), 'id')).toHaveLength(max);
  for (const length of [0, max + 1, 1_000_000]) {
    expect(refusalOf(() => parseName(of, 'a'.repeat(length), 'id'))).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  }
  expect(describeName(of)).toContain(`1–${max} characters`);
});

/** Twilio’s list. */
const RESERVED = Array.from("!*'();:@&=+$,/?%#[]");

test('what Twilio reserves is in no identity; an e-mail address has @ and +, and none of the rest', () => {
  expect(RESERVED).toHaveLength(19);
  for (const character of RESERVED) {
    const refusal = refusalOf(() => parseName('identity', `ada${character}1`, 'input.identity'));
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: { field: 'input.identity' } });
    expect(refusal?.message).toContain(`has ${JSON.stringify(character)} at position 3;`);
    const inEmail = refusalOf(() => parseName('emailIdentity', `ada${character}1`, 'input.identity'));
    expect(inEmail?.message).toEqual(
      '@+'.includes(character) ? undefined : expect.stringContaining('at position 3;'),
    );
  }
});

test('text that others see may be 1,000 characters of any script, and hold no control characters', () => {
  for (const text of ['', 'two\nlines\tand\r\ntabs', '𝄞'.repeat(1000)])
    expect(parseText(text, 'data')).toBe(text);
  expect(refusalOf(() => parseText('a'.repeat(1001), 'data'))?.message).toContain(
    '1001 characters; at most 1000',
  );
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).concat('\x7f');
  for (const control of controls) {
    const refusal = refusalOf(() => parseText(`ab${control}`, 'data'));
    if ('\t\n\r'.includes(control)) expect(refusal).toBeUndefined();
    else
      expect(refusal).toMatchObject({
        code: 'BAD_USER_INPUT',
        message: expect.stringContaining('position 2'),
      });
  }
});

test('JSON may have as many bytes of UTF-8 as its limit says and no more', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
      expect(parseJson(value, bytes, 'data')).toBe(value);
      expect(refusalOf(() => parseJson(value, bytes - 1, 'data'))).toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        fields: { field: 'data', limit: bytes - 1 },
      });
    }),
  );
  expect(refusalOf(() => parseJson('é', 3, 'data'))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
});

test('JSON may be 32 levels deep, of lists and objects alike, and no deeper', () => {
  const nest = (levels: number, wrap: (inner: unknown) => unknown) =>
    Array.from({ length: levels }).reduce((inner) => wrap(inner), 'leaf');
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ a: 1, inner })]) {
    expect(parseJson(nest(32, wrap), 9999, 'data')).toBeDefined();
    for (const levels of [33, 10_000]) {
      expect(refusalOf(() => parseJson(nest(levels, wrap), 9999, 'data'))).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: { field: 'data' },
      });
    }
  }
});
