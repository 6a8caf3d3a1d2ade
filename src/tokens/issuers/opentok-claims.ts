import { parseName } from '../../names.ts';
import { ACTIONS, type Action } from '../../projects/permissions.ts';
import { claimed, textOf } from './claim-values.ts';
import { type Claims, parseTimes } from './claims.ts';
import { refused } from '../credential-errors.ts';

/** What both layouts of OpenTok's tokens say, by the vendor's names. Nothing of it has been checked. */
export interface OpentokFields {
  session_id?: unknown;
  create_time?: unknown;
  iat?: unknown;
  expire_time?: unknown;
  exp?: unknown;
  role?: unknown;
  connection_data?: unknown;
  scope?: unknown;
}

export const MAX_OPENTOK_LIFETIME_SECONDS = 30 * 86_400;
const DEFAULT_LIFETIME_SECONDS = 86_400;

const ROLES = new Map<unknown, { role: string; actions: readonly Action[] }>([
  ['subscriber', { role: 'SUBSCRIBER', actions: ['SUBSCRIBE', 'PRESENCE'] }],
  ['publisher', { role: 'PUBLISHER', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
  ['publisheronly', { role: 'PUBLISHER', actions: ['PUBLISH'] }],
  ['moderator', { role: 'MODERATOR', actions: ACTIONS }],
]);

export function readOpentokFields(
  fields: OpentokFields,
  keyId: string,
  now: number,
): Omit<Claims, 'subject' | 'isOneCredential'> {
  if (fields.scope !== undefined && fields.scope !== 'session.connect') {
    throw refused('its “scope” must be session.connect');
  }
  const session = sessionOf(fields.session_id, keyId);
  const granted = ROLES.get(fields.role ?? 'publisher');
  if (!granted) throw refused(`its “role” must be one of ${[...ROLES.keys()].join(', ')}`);
  const said = {
    identity: null,
    role: granted.role,
    grants: [{ channels: session, actions: [...granted.actions] }],
    connectionData: textOf(fields.connection_data, 'connection_data'),
    channels: [session],
  };
  return { ...said, ...timesOf(fields, now) };
}

/** The id of a session says whose it is: `1_` or `2_`, then base64url of `1~<key>~<location>~<date>~<random>~`. */
function sessionOf(value: unknown, keyId: string): string {
  if (typeof value !== 'string') throw refused('it has no “session_id”');
  const session = claimed(() => parseName('channel', value, 'its “session_id”'));
  const owner = /^[12]_/.test(session)
    ? Buffer.from(session.slice(2), 'base64url').toString().split('~')[1]
    : undefined;
  if (owner !== keyId) throw refused('its “session_id” is not of the key that signed it');
  return session;
}

function timesOf({ create_time, iat, expire_time, exp }: OpentokFields, now: number) {
  const createdAt = secondsOf(create_time, 'create_time') ?? secondsOf(iat, 'iat');
  if (createdAt === undefined) throw refused('it must have a “create_time”');
  // A moment of creation in the future would stretch the lifetime.
  parseTimes({ iat: createdAt }, now);
  const ends = [secondsOf(expire_time, 'expire_time'), secondsOf(exp, 'exp')];
  const given = ends.filter((end) => end !== undefined);
  const end = given.length > 0 ? Math.min(...given) : createdAt + DEFAULT_LIFETIME_SECONDS;
  const lifetime = end - createdAt;
  if (lifetime > MAX_OPENTOK_LIFETIME_SECONDS) {
    throw refused(`it lives ${lifetime} seconds; at most ${MAX_OPENTOK_LIFETIME_SECONDS} are allowed`);
  }
  return parseTimes({ iat: iat ?? createdAt, exp: end }, now);
}

function secondsOf(value: unknown, name: string): number | undefined {
  if (value !== undefined && typeof value !== 'number') throw refused(`its “${name}” is no time in seconds`);
  return value;
}
