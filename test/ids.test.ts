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
const epochMs = fc.nat({ max: 2 ** 50 - 1 });

test('an id is its prefix and 26 characters of Crockford Base32', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PREFIXES), epochMs, (prefix, now) => {
      const id = createIds(() => now, randomBytes)(prefix);
      expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
    }),
  );
});

test('ids of one prefix sort by creation time', () => {
  fc.assert(
    fc.property(epochMs, epochMs, (one, other) => {
      fc.pre(one !== other);
      const [first, second] = [one, other].map((now) => createIds(() => now, randomBytes)('token'));
      expect(first! < second!).toBe(one < other);
    }),
    { numRuns: 500 },
  );
});

test('the creation time can be decoded from an id', () => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  fc.assert(
    fc.property(epochMs, (now) => {
      const time = createIds(() => now, randomBytes)('msg').slice('msg_'.length, -16);
      expect(Array.from(time).reduce((sum, character) => sum * 32 + alphabet.indexOf(character), 0)).toBe(
        now,
      );
    }),
  );
});

test('ids of the same millisecond differ, and only by the injected randomness', () => {
  const { now } = createManualClock();
  const newId = createIds(now, randomBytes);
  expect(new Set(Array.from({ length: 10_000 }, () => newId('conn'))).size).toBe(10_000);
  const [one, same] = [createIds(now, fill(1)), createIds(now, fill(1))];
  expect(one('conn')).toBe(same('conn'));
});

test('every random byte sets one character, and all characters are equally likely', () => {
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

test('a pool returns every random byte at most once', () => {
  let generated = 0;
  const take = pooled((count) => Uint8Array.from({ length: count }, () => generated++ % 251));
  let next = 0;
  for (const count of [16, 1, 4000, 100, 5000, 16]) {
    const bytes = take(count);
    expect(bytes).toHaveLength(count);
    // If too few bytes are left in the pool, they are discarded.
    if (bytes[0] !== next % 251) next += (bytes[0]! - (next % 251) + 251) % 251;
    expect([...bytes]).toEqual(Array.from({ length: count }, (_, index) => (next + index) % 251));
    next += count;
  }
});
