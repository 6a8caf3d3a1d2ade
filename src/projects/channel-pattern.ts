import { badInput } from '../errors.ts';
import { parseName } from '../names.ts';

const SEPARATOR = ':';
const WILDCARD = '*';

/**
 * Whether the id `channel` matches `pattern`. Colons separate segments. A `*` stands for any characters
 * within one segment. A segment has at most one `*`, so matching takes time linear in the length of both.
 * @example
 * matchesPattern('room:*', 'room:1'); // true
 * matchesPattern('room:*', 'room:1:2'); // false
 */
export function matchesPattern(pattern: string, channel: string): boolean {
  const patternSegments = pattern.split(SEPARATOR);
  const channelSegments = channel.split(SEPARATOR);
  return (
    patternSegments.length === channelSegments.length &&
    patternSegments.every((segment, index) => matchesSegment(segment, channelSegments[index] ?? ''))
  );
}

function matchesSegment(pattern: string, segment: string): boolean {
  const star = pattern.indexOf(WILDCARD);
  if (star < 0) return pattern === segment;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return segment.length >= head.length + tail.length && segment.startsWith(head) && segment.endsWith(tail);
}

/** @throws BAD_USER_INPUT when the pattern is malformed; `field` names the argument in the message */
export function parsePattern(pattern: string, field: string): string {
  parseName('channel', pattern.replaceAll(WILDCARD, '_'), field);
  if (pattern.split(SEPARATOR).some((segment) => segment.split(WILDCARD).length > 2))
    throw badInput(field, 'may have one * in each segment between colons.');
  return pattern;
}
