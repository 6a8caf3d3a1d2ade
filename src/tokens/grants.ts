import { badInput } from '../errors.ts';
import { parseName } from '../names.ts';
import { ACTIONS, type Action } from '../projects/permissions.ts';
import { type Grant } from './token.ts';

const SEPARATOR = ':';
const WILDCARD = '*';

/**
 * Whether `channel` fits `pattern`. Segments are parted by `:`; a `*` stands for any characters within one
 * segment, at most one to a segment, so a match takes time linear in the length of the two.
 */
export function matchesPattern(pattern: string, channel: string): boolean {
  const wanted = pattern.split(SEPARATOR);
  const given = channel.split(SEPARATOR);
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => matchesSegment(segment, given[index] ?? ''))
  );
}

function matchesSegment(wanted: string, given: string): boolean {
  const star = wanted.indexOf(WILDCARD);
  if (star < 0) return wanted === given;
  const [head, tail] = [wanted.slice(0, star), wanted.slice(star + 1)];
  return given.length >= head.length + tail.length && given.startsWith(head) && given.endsWith(tail);
}

/** A grant as callers give it. */
export interface GrantInput {
  channels: string;
  actions: readonly Action[];
  /** Milliseconds since 1970. */
  expiresAt?: number | null | undefined;
}

/** @throws BAD_USER_INPUT when there are more than `max`, or a pattern or action is malformed. */
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

/** Whether one of the grants allows `action` on `channel`; without grants nothing is narrowed. Those that have lapsed are not given: see `asOf`. */
export function grantsAllow(grants: readonly Grant[] | null, action: Action, channel: string): boolean {
  if (grants === null) return true;
  return grants.some((grant) => grant.actions.includes(action) && matchesPattern(grant.channels, channel));
}
