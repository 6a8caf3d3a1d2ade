import { badInput } from '../errors.ts';
import { parseName } from '../names.ts';
import { ACTIONS, type Action } from '../projects/permissions.ts';
import { type Grant } from './token.ts';

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

/** A grant before validation. */
export interface GrantInput {
  channels: string;
  actions: readonly Action[];
  /** Milliseconds since 1970; null or absent: the grant does not lapse. */
  expiresAt?: number | null | undefined;
}

/** @throws BAD_USER_INPUT when there are more than `max` grants, or a channel pattern is malformed */
export function parseGrants(grants: readonly GrantInput[], max: number): Grant[] {
  if (grants.length > max)
    throw badInput('input.grants', `has ${grants.length} grants; at most ${max} are allowed.`);
  return grants.map(({ channels, actions, expiresAt = null }, index) => {
    const field = `input.grants[${index}].channels`;
    parseName('channel', channels.replaceAll(WILDCARD, '_'), field);
    if (channels.split(SEPARATOR).some((segment) => segment.split(WILDCARD).length > 2)) {
      throw badInput(field, 'may have one * in each segment between colons.');
    }
    return {
      channels,
      actions: ACTIONS.filter((action) => actions.includes(action)),
      ...(expiresAt !== null && { expiresAt }),
    };
  });
}

/**
 * Whether a grant allows `action` in the channel. Null allows everything: without grants only the role
 * counts. Does not check `expiresAt`: `applyLapses` drops lapsed grants before.
 */
export function grantsAllow(grants: readonly Grant[] | null, action: Action, channel: string): boolean {
  if (grants === null) return true;
  return grants.some((grant) => grant.actions.includes(action) && matchesPattern(grant.channels, channel));
}
