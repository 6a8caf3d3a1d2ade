import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findInexactNumber, isExactNumber } from '../src/exact-numbers.ts';

test.each([
  '0',
  '-0',
  '0.0',
  '1',
  '-1',
  '0.1',
  '1e3',
  '1E+3',
  '1.5e-7',
  '9007199254740991',
  '9007199254740992',
  '-9007199254740992',
  '1e21',
  '1e308',
  '1.7976931348623157e308',
  '5e-324',
  '0.30000000000000004',
  '0.10000000000000001',
  '52.520006599999998',
  '1.000000000000000000000',
  '10000000000000000000',
  '0e999',
  '0.0000000000000000000000000000000001',
])('%s is carried exactly', (text) => {
  expect(isExactNumber(text)).toBe(true);
});

test.each([
  '9007199254740993',
  '1152921504606846976',
  '-9007199254740993',
  '12345678901234567890',
  '9007199254740993.0',
  '9007199254740993e0',
  '1e400',
  '-1e400',
  '1e309',
  '1e-400',
  '1234567890123456.78',
  '3.14159265358979323846',
  '18446744073709551615',
  '9'.repeat(400),
  '0.1' + '1'.repeat(60_000),
])('%.40s is not carried exactly', (text) => {
  expect(isExactNumber(text)).toBe(false);
});

test('every number that JavaScript writes is carried exactly', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      isExactNumber(JSON.stringify(value)),
    ),
  );
});

test('findInexactNumber finds no number in any JSON that JavaScript writes, and a planted one by its path', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      const marked = JSON.stringify({ variables: { before, data: [before, { 'a"b\\': '@' }], after } });
      expect(findInexactNumber(marked.replace('"@"', '"1e400"'), ['variables'])).toBeUndefined();
      const planted = `{"variables":{"data":[${JSON.stringify(before)},{"a\\"b\\\\":1e400}],"after":${JSON.stringify(after)}}}`;
      expect(findInexactNumber(planted, ['variables'])).toBe('variables.data[1].a"b\\');
    }),
  );
});

test('findInexactNumber looks only below the named member', () => {
  const text = '{"query":"1e400","extensions":{"n":1e400},"variables":{"a":[1,2,{"b":1e400}]}}';
  expect(findInexactNumber(text, ['variables'])).toBe('variables.a[2].b');
  expect(findInexactNumber(text, ['payload', 'variables'])).toBeUndefined();
  expect(findInexactNumber('{"v\\u0061riables":{"a":1e400}}', ['variables'])).toBe('variables.a');
  for (const broken of ['', '{', '"1e400', '{"variables":1e400', ']]1e400', '{"variables":{"a":"\\']) {
    expect(() => findInexactNumber(`${broken}1e9`, ['variables'])).not.toThrow();
  }
});
