import { type Action, type GrantInput } from '@signalbox/server';
import { UsageError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90`, `90s`, `15m`, `12h` or `30d` as seconds. */
export function parseDuration(text: string): number {
  const [, amount = '', unit = 's'] = /^(\d{1,10})([smhd]?)$/.exec(text) ?? [];
  if (amount === '') throw new UsageError(`“${text}” is no duration. Write it as 90s, 15m, 12h or 30d.`);
  return Number(amount) * (UNITS[unit] ?? 1);
}

/** An RFC 3339 time. */
export function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`“${text}” is no time. Write it as 2030-01-31T12:00:00Z.`);
  return time;
}

/** A JSON value. `what` names the argument. */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(
      `${what} is not JSON. A text needs double quotes inside the quotes of the shell: '"hello"'.`,
    );
  }
}

/** An integer of at least `min`. */
export function parseInteger(what: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`${what} must be an integer from ${min} to ${max}.`);
  return value;
}

/** One of some words, in upper or lower case; returned as listed. */
export function parseWord<Word extends string>(what: string, text: string, words: readonly Word[]): Word {
  const word = words.find((one) => one.toUpperCase() === text.toUpperCase());
  if (word === undefined) throw new UsageError(`${what} must be one of ${words.join(', ')}.`);
  return word;
}

/** The actions that a token may take in a channel. */
export const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const satisfies readonly Action[];

/** `room:*=subscribe,publish`: channels and actions; a time after `@` is when the grant lapses. */
export function parseGrant(text: string): GrantInput {
  // Ids of channels contain no “=”, and actions no “@”.
  const [, channels = '', actions = '', time] = /^([^=]+)=([^@]+)(?:@(.+))?$/.exec(text) ?? [];
  if (channels === '') throw new UsageError(`“${text}” is no grant. Write it as room:*=subscribe,publish.`);
  return {
    channels,
    actions: actions.split(',').map((action) => parseWord('An action of --grant', action, ACTIONS)),
    ...(time !== undefined && { expiresAt: parseTime(time).toISOString() }),
  };
}

/** Throws when a command that changes something was given nothing to change. */
export function requireChange<Change extends object>(change: Change): Change {
  if (Object.values(change).some((value) => value !== undefined)) return change;
  throw new UsageError('Pass at least one option that says what to change.');
}

/** Collects an option that may be given several times. False: after its negation. */
export const collect = (value: string, before: string[] | false | undefined): string[] => [
  ...(before || []),
  value,
];

/** Exactly one of a token and an identity. */
export function parseTarget({
  token,
  identity,
}: {
  token?: string;
  identity?: string;
}): { token: string } | { identity: string } {
  if (token !== undefined && identity === undefined) return { token };
  if (identity !== undefined && token === undefined) return { identity };
  throw new UsageError('Pass exactly one of --token and --identity.');
}
