import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeName, parseJson, parseName, parseText, type NameKind } from '../src/names.ts';

/** The same rules as regular expressions. */
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

/** Mostly allowed characters, mixed with characters from all of Unicode. */
const nearlyValidName = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...Array.from('aZ0_.:@|~- *\n')) },
      fc.string({ unit: 'binary', maxLength: 1 }),
    ),
  )
  .map((characters) => characters.join(''));

function errorOf(work: () => unknown): { code: string; message: string; fields: object } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as { code: string; message: string; fields: object };
  }
}

test('parseName returns a name unchanged if its rule allows every character, and throws BAD_USER_INPUT otherwise', () => {
  fc.assert(
    fc.property(kind, nearlyValidName, (of, text) => {
      const isAllowed = RULES[of].pattern.test(text) && text.length <= RULES[of].max;
      const error = errorOf(() => expect(parseName(of, text, 'input.id')).toBe(text));
      expect(error === undefined).toBe(isAllowed);
      if (error) expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: { field: 'input.id' } });
    }),
    { numRuns: 2000 },
  );
});

test('the error names the first invalid character, including surrogate pairs, and its position', () => {
  fc.assert(
    fc.property(
      kind,
      fc.nat(20),
      fc.constantFrom('/', ' ', 'é', '\u0000', '𝄞', '\ud834'),
      (of, position, bad) => {
        fc.pre(!RULES[of].pattern.test(bad));
        const error = errorOf(() => parseName(of, `${'a'.repeat(position)}${bad}${bad}`, 'id'));
        expect(error?.message).toContain(`id: has ${JSON.stringify(bad)} at position ${position};`);
      },
    ),
  );
});

test.each(kinds)('a %s may have as many characters as its rule allows, and no more', (of) => {
  const { max } = RULES[of];
  expect(parseName(of, 'a'.repeat(max), 'id')).toHaveLength(max);
  for (const length of [0, max + 1, 1_000_000]) {
    expect(errorOf(() => parseName(of, 'a'.repeat(length), 'id'))).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  }
  expect(describeName(of)).toContain(`1–${max} characters`);
});

/** The characters that Twilio reserves. */
const RESERVED = Array.from("!*'();:@&=+$,/?%#[]");

test('an identity has no character that Twilio reserves; an emailIdentity allows only @ and + of them', () => {
  expect(RESERVED).toHaveLength(19);
  for (const character of RESERVED) {
    const error = errorOf(() => parseName('identity', `ada${character}1`, 'input.identity'));
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: { field: 'input.identity' } });
    expect(error?.message).toContain(`has ${JSON.stringify(character)} at position 3;`);
    const inEmail = errorOf(() => parseName('emailIdentity', `ada${character}1`, 'input.identity'));
    expect(inEmail?.message).toEqual(
      '@+'.includes(character) ? undefined : expect.stringContaining('at position 3;'),
    );
  }
});

test('parseText allows 1,000 characters of any script, and refuses control characters', () => {
  for (const text of ['', 'two\nlines\tand\r\ntabs', '𝄞'.repeat(1000)])
    expect(parseText(text, 'data')).toBe(text);
  expect(errorOf(() => parseText('a'.repeat(1001), 'data'))?.message).toContain(
    '1001 characters; at most 1000',
  );
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).concat('\x7f');
  for (const control of controls) {
    const error = errorOf(() => parseText(`ab${control}`, 'data'));
    if ('\t\n\r'.includes(control)) expect(error).toBeUndefined();
    else
      expect(error).toMatchObject({
        code: 'BAD_USER_INPUT',
        message: expect.stringContaining('position 2'),
      });
  }
});

test('parseJson allows as many bytes of UTF-8 as its limit, and no more', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
      expect(parseJson(value, bytes, 'data')).toBe(value);
      expect(errorOf(() => parseJson(value, bytes - 1, 'data'))).toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        fields: { field: 'data', limit: bytes - 1 },
      });
    }),
  );
  expect(errorOf(() => parseJson('é', 3, 'data'))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
});

test('parseJson allows 32 levels of arrays and objects, and no more', () => {
  const nest = (levels: number, wrap: (inner: unknown) => unknown) =>
    Array.from({ length: levels }).reduce((inner) => wrap(inner), 'leaf');
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ a: 1, inner })]) {
    expect(parseJson(nest(32, wrap), 9999, 'data')).toBeDefined();
    for (const levels of [33, 10_000]) {
      expect(errorOf(() => parseJson(nest(levels, wrap), 9999, 'data'))).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: { field: 'data' },
      });
    }
  }
});
