import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grantsAllow, matchesPattern, parseGrants } from '../../src/tokens/grants.ts';
import { ACTIONS } from '../../src/projects/permissions.ts';
import { countCharactersRead } from '../support/character-meter.ts';

/** A pattern is a regular expression in which the star is any run of characters without a colon. */
function modelMatches(pattern: string, channel: string): boolean {
  const source = Array.from(pattern).map((character) =>
    character === '*' ? '[^:]*' : character.replace(/[.*+?^${}()|[\]\\]/, '\\$&'),
  );
  return new RegExp(`^${source.join('')}$`).test(channel);
}

const letter = fc.constantFrom('a', 'b', '.', '-');
const text = fc.array(letter, { maxLength: 3 }).map((letters) => letters.join(''));
const segments = <T>(segment: fc.Arbitrary<T>) => fc.array(segment, { minLength: 1, maxLength: 3 });
const pattern = segments(
  fc.oneof(
    text,
    fc.tuple(text, text).map(([head, tail]) => `${head}*${tail}`),
  ),
).map((parts) => parts.join(':'));
const channel = segments(text).map((parts) => parts.join(':'));

test('a pattern fits exactly what its regular expression does', () => {
  fc.assert(
    fc.property(pattern, channel, (wanted, given) => {
      expect(matchesPattern(wanted, given)).toBe(modelMatches(wanted, given));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern fits whatever its stars are filled with, as long as it is no colon', () => {
  const filling = fc.stringMatching(/^[a-z.*+()$^]{0,8}$/);
  fc.assert(
    fc.property(pattern, filling, (wanted, filled) => {
      const given = wanted.replaceAll('*', () => filled);
      expect(matchesPattern(wanted, given)).toBe(true);
      if (wanted.includes('*'))
        expect(
          matchesPattern(
            wanted,
            wanted.replaceAll('*', () => `${filled}:`),
          ),
        ).toBe(false);
    }),
  );
});

test.each([
  ['room:*', 'room:', true],
  ['room:*', 'room', false],
  ['room:*', 'room:1:2', false],
  ['*', 'lobby', true],
  ['*', 'room:1', false],
  ['ab*ba', 'aba', false],
  ['ab*ba', 'abba', true],
  ['room:1', 'room:1', true],
  ['room:1', 'room:10', false],
  ['Room', 'room', false],
])('%s and %s: %s', (wanted, given, fits) => {
  expect(matchesPattern(wanted, given)).toBe(fits);
});

test('matching reads no more than a few times the characters there are, however hostile they are', () => {
  const hostile: [string, string][] = [
    ['a*a', `${'a'.repeat(20_000)}b`],
    ['*'.concat('a'.repeat(10_000)), 'a'.repeat(20_000)],
    ['a*:'.repeat(5_000), 'aa:'.repeat(5_000)],
    [':'.repeat(10_000), ':'.repeat(10_001)],
    ['*a:'.repeat(5_000).concat('b'), 'aa:'.repeat(5_000).concat('a')],
  ];
  for (const [wanted, given] of hostile) {
    const { characters } = countCharactersRead(() => matchesPattern(wanted, given));
    expect(characters).toBeGreaterThan(given.length);
    expect(characters).toBeLessThan(10 * (wanted.length + given.length));
  }
});

test('a channel is allowed an action by any one grant for both; without grants, everything is', () => {
  const grants = [
    { channels: 'room:*', actions: [...ACTIONS].slice(0, 1) },
    { channels: 'lobby', actions: [...ACTIONS] },
    { channels: 'closed', actions: [] },
  ];
  expect(grantsAllow(grants, 'SUBSCRIBE', 'room:1')).toBe(true);
  expect(grantsAllow(grants, 'PUBLISH', 'room:1')).toBe(false);
  expect(grantsAllow(grants, 'PUBLISH', 'lobby')).toBe(true);
  expect(grantsAllow(grants, 'SUBSCRIBE', 'closed')).toBe(false);
  expect(grantsAllow([], 'SUBSCRIBE', 'lobby')).toBe(false);
  expect(grantsAllow(null, 'MODERATE', 'anything')).toBe(true);
});

test('grants that are well formed are taken as they are, each action once', () => {
  const given = [{ channels: 'room:*:x*', actions: ['PRESENCE', 'SUBSCRIBE', 'PRESENCE'] as const }];
  expect(parseGrants(given, 1)).toEqual([{ channels: 'room:*:x*', actions: ['SUBSCRIBE', 'PRESENCE'] }]);
  expect(parseGrants([], 0)).toEqual([]);
});

test.each([
  ['two stars in a part', 'room:a*b*', 'input.grants[1].channels'],
  ['two stars beside each other', '**', 'input.grants[1].channels'],
  ['a character that no channel has', 'room/1', 'input.grants[1].channels'],
  ['nothing', '', 'input.grants[1].channels'],
  ['more than a channel may be long', `${'a'.repeat(255)}*`, 'input.grants[1].channels'],
])('a grant with %s is refused by its place', (_, channels, field) => {
  const given = [
    { channels: '*', actions: ACTIONS },
    { channels, actions: ACTIONS },
  ];
  expect(() => parseGrants(given, 9)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', fields: { field } }),
  );
});

test('more grants than a token may hold are refused', () => {
  const grants = Array(3).fill({ channels: '*', actions: ACTIONS });
  expect(parseGrants(grants, 3)).toHaveLength(3);
  expect(() => parseGrants(grants, 2)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining('at most 2') }),
  );
});
