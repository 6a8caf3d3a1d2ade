import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIds, pooled, type IdPrefix } from '../src/ids.ts';
import { createManualClock } from './support/clock.ts';

const PREFIXES = [
  'project',
  'key',
  'token',
  'channel',
  'msg',
  'conn',
  'sign',
  'jti',
  'node',
  'err',
] as const satisfies IdPrefix[];
const moment = fc.nat({ max: 2 ** 50 - 1 });

test('an id says what it names, and is 26 characters that nobody confuses', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PREFIXES), moment, (prefix, now) => {
      const id = createIds(() => now, randomBytes)(prefix);
      expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
    }),
  );
});

test('ids of one prefix sort by the time they were made', () => {
  fc.assert(
    fc.property(moment, moment, (one, other) => {
      fc.pre(one !== other);
      const [first, second] = [one, other].map((now) => createIds(() => now, randomBytes)('token'));
      expect(first! < second!).toBe(one < other);
    }),
    { numRuns: 500 },
  );
});

test('the time that an id begins with can be told again', () => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  fc.assert(
    fc.property(moment, (now) => {
      const time = createIds(() => now, randomBytes)('msg').slice('msg_'.length, -16);
      expect(Array.from(time).reduce((sum, character) => sum * 32 + alphabet.indexOf(character), 0)).toBe(
        now,
      );
    }),
  );
});

test('of one millisecond no two are alike: all of their chance is the randomness that was handed in', () => {
  const { now } = createManualClock();
  const newId = createIds(now, randomBytes);
  expect(new Set(Array.from({ length: 10_000 }, () => newId('conn'))).size).toBe(10_000);
  const [one, same] = [createIds(now, fill(1)), createIds(now, fill(1))];
  expect(one('conn')).toBe(same('conn'));
});

test('every byte of chance counts, and every character is as likely as any other', () => {
  const newId = createIds(
    () => 0,
    (count) => Uint8Array.from({ length: count }, (_, index) => index),
  );
  expect(newId('key').slice(-16)).toBe('0123456789abcdef');
  const perCharacter = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) {
    const character = createIds(() => 0, fill(byte))('key').at(-1)!;
    perCharacter.set(character, (perCharacter.get(character) ?? 0) + 1);
  }
  expect([...perCharacter.values()]).toEqual(Array(32).fill(8));
});

const fill = (byte: number) => (count: number) => new Uint8Array(count).fill(byte);

test('a pool hands out every byte once', () => {
  let asked = 0;
  const take = pooled((count) => Uint8Array.from({ length: count }, () => asked++ % 251));
  let next = 0;
  for (const count of [16, 1, 4000, 100, 5000, 16]) {
    const bytes = take(count);
    expect(bytes).toHaveLength(count);
    // What a pool had left when it did not suffice is not handed out at all.
    if (bytes[0] !== next % 251) next += (bytes[0]! - (next % 251) + 251) % 251;
    expect([...bytes]).toEqual(Array.from({ length: count }, (_, index) => (next + index) % 251));
    next += count;
  }
});
