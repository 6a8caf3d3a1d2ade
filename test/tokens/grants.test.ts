import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grantsAllow, parseGrants } from '../../src/tokens/grants.ts';
import { matchesPattern } from '../../src/projects/channel-pattern.ts';
import { ACTIONS } from '../../src/projects/permissions.ts';
import { countCharactersRead } from '../support/character-meter.ts';

/** The model: a regular expression in which the star matches any number of characters other than a colon. */
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

test('matchesPattern() agrees with a regular expression (5,000 runs)', () => {
  fc.assert(
    fc.property(pattern, channel, (somePattern, someChannel) => {
      expect(matchesPattern(somePattern, someChannel)).toBe(modelMatches(somePattern, someChannel));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern matches itself with its stars replaced by any text without a colon', () => {
  const filling = fc.stringMatching(/^[a-z.*+()$^]{0,8}$/);
  fc.assert(
    fc.property(pattern, filling, (starred, filled) => {
      const matching = starred.replaceAll('*', () => filled);
      expect(matchesPattern(starred, matching)).toBe(true);
      if (starred.includes('*'))
        expect(
          matchesPattern(
            starred,
            starred.replaceAll('*', () => `${filled}:`),
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
])('the pattern %s and the channel %s match: %s', (grantPattern, channelId, matches) => {
  expect(matchesPattern(grantPattern, channelId)).toBe(matches);
});

test('matchesPattern() reads a number of characters linear in the input when the input is hostile', () => {
  const hostile: [string, string][] = [
    ['a*a', `${'a'.repeat(20_000)}b`],
    ['*'.concat('a'.repeat(10_000)), 'a'.repeat(20_000)],
    ['a*:'.repeat(5_000), 'aa:'.repeat(5_000)],
    [':'.repeat(10_000), ':'.repeat(10_001)],
    ['*a:'.repeat(5_000).concat('b'), 'aa:'.repeat(5_000).concat('a')],
  ];
  for (const [hostilePattern, hostileChannel] of hostile) {
    const { characters } = countCharactersRead(() => matchesPattern(hostilePattern, hostileChannel));
    expect(characters).toBeGreaterThan(hostileChannel.length);
    expect(characters).toBeLessThan(10 * (hostilePattern.length + hostileChannel.length));
  }
});

test('grantsAllow() needs one grant with both the channel and the action, and allows everything without grants', () => {
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

test('parseGrants() keeps valid grants and removes repeated actions', () => {
  const grants = [{ channels: 'room:*:x*', actions: ['PRESENCE', 'SUBSCRIBE', 'PRESENCE'] as const }];
  expect(parseGrants(grants, 1)).toEqual([{ channels: 'room:*:x*', actions: ['SUBSCRIBE', 'PRESENCE'] }]);
  expect(parseGrants([], 0)).toEqual([]);
});

test.each([
  ['two stars in a segment', 'room:a*b*', 'input.grants[1].channels'],
  ['two adjacent stars', '**', 'input.grants[1].channels'],
  ['a character that is invalid in channel ids', 'room/1', 'input.grants[1].channels'],
  ['an empty pattern', '', 'input.grants[1].channels'],
  ['a pattern that is longer than a channel id', `${'a'.repeat(255)}*`, 'input.grants[1].channels'],
])('parseGrants() refuses %s and names the field', (_, channels, field) => {
  const grants = [
    { channels: '*', actions: ACTIONS },
    { channels, actions: ACTIONS },
  ];
  expect(() => parseGrants(grants, 9)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', fields: { field } }),
  );
});

test('parseGrants() refuses more grants than the maximum', () => {
  const grants = Array(3).fill({ channels: '*', actions: ACTIONS });
  expect(parseGrants(grants, 3)).toHaveLength(3);
  expect(() => parseGrants(grants, 2)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining('at most 2') }),
  );
});
