import { parseName } from '../../names.ts';
import { ACTIONS, type Action } from '../../projects/permissions.ts';
import { asCredentialError, parseTextClaim } from './claim-values.ts';
import { type Claims, livesTooLong, notSeconds, parseTimes } from './claims.ts';
import { type IssuerKey } from './issuer.ts';
import { refused } from '../credential-errors.ts';

/** The fields that OpenTok's JWT and T1 tokens share, under the vendor's names. Their types are not checked yet. */
export interface OpentokFields {
  session_id?: unknown;
  /** Seconds since 1970. */
  create_time?: unknown;
  /** Seconds since 1970; JWT only. */
  iat?: unknown;
  /** Seconds since 1970. */
  expire_time?: unknown;
  /** Seconds since 1970; JWT only. */
  exp?: unknown;
  role?: unknown;
  connection_data?: unknown;
  /** The connection data in tokens of Vonage's SDK for Ruby; RS256 only. */
  data?: unknown;
  scope?: unknown;
}

/** OpenTok documents 30 days as the maximum; its SDK for Node does not enforce the limit. */
export const MAX_OPENTOK_LIFETIME_SECONDS = 30 * 86_400;
/** Lifetime of a token without `expire_time` and `exp`. */
const DEFAULT_LIFETIME_SECONDS = 86_400;

const ROLES = new Map<unknown, { role: string; actions: readonly Action[] }>([
  ['subscriber', { role: 'SUBSCRIBER', actions: ['SUBSCRIBE', 'PRESENCE'] }],
  ['publisher', { role: 'PUBLISHER', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
  ['publisheronly', { role: 'PUBLISHER', actions: ['PUBLISH'] }],
  ['moderator', { role: 'MODERATOR', actions: ACTIONS }],
]);

/**
 * Reads the fields of a verified OpenTok token. The session becomes a channel that the token is subscribed to and the
 * only one that its grants cover. The role defaults to `publisher`.
 *
 * @param key The OpenTok API key, or the key of the Vonage application, that signed the token.
 * @param now Milliseconds since 1970.
 * @throws TOKEN_EXPIRED when the token has expired, UNAUTHENTICATED when a field is malformed, the session belongs to
 * another API key, or the lifetime is longer than 30 days
 */
export function readOpentokFields(
  fields: OpentokFields,
  key: Pick<IssuerKey, 'id' | 'key'>,
  now: number,
): Omit<Claims, 'subject' | 'isSingleCredential'> {
  if (fields.scope !== undefined && fields.scope !== 'session.connect') {
    throw refused('its “scope” must be session.connect');
  }
  const session = parseSessionId(fields.session_id, key);
  const granted = ROLES.get(fields.role ?? 'publisher');
  if (!granted) throw refused(`its “role” must be one of ${[...ROLES.keys()].join(', ')}`);
  const claims = {
    identity: null,
    role: granted.role,
    grants: [{ channels: session, actions: [...granted.actions] }],
    connectionData: parseTextClaim(fields.connection_data, 'connection_data') ?? parseVonageData(fields, key),
    channels: [session],
  };
  return { ...claims, ...parseOpentokTimes(fields, now) };
}

function parseVonageData({ data }: OpentokFields, { key }: Pick<IssuerKey, 'key'>): string | null {
  return key.type === 'public' ? parseTextClaim(data, 'data') : null;
}

/**
 * A session id of OpenTok contains its API key: `1_` or `2_`, then base64url(`1~<API key>~<location>~<create date>~<random>~`).
 * Vonage does not document what its session ids contain.
 */
function parseSessionId(value: unknown, { id, key }: Pick<IssuerKey, 'id' | 'key'>): string {
  if (typeof value !== 'string') throw refused('its “session_id” must be the id of an OpenTok session');
  const session = asCredentialError(() => parseName('channel', value, 'its “session_id”'));
  if (key.type === 'public') return session;
  const apiKey = /^[12]_/.test(session)
    ? Buffer.from(session.slice(2), 'base64url').toString().split('~')[1]
    : undefined;
  if (apiKey !== id) throw refused('its “session_id” must belong to the API key that signed it');
  return session;
}

function parseOpentokTimes({ create_time, iat, expire_time, exp }: OpentokFields, now: number) {
  const createdAt = requireNumber(create_time, 'create_time') ?? requireNumber(iat, 'iat');
  if (createdAt === undefined) throw refused('it must have a “create_time” in seconds since 1970');
  // A time of creation in the future would extend the lifetime.
  parseTimes({ iat: createdAt }, now);
  const ends = [requireNumber(expire_time, 'expire_time'), requireNumber(exp, 'exp')];
  const present = ends.filter((end) => end !== undefined);
  const end = present.length > 0 ? Math.min(...present) : createdAt + DEFAULT_LIFETIME_SECONDS;
  const lifetime = end - createdAt;
  if (lifetime > MAX_OPENTOK_LIFETIME_SECONDS) throw livesTooLong(lifetime, MAX_OPENTOK_LIFETIME_SECONDS);
  return parseTimes({ iat: iat ?? createdAt, exp: end }, now);
}

function requireNumber(value: unknown, claim: string): number | undefined {
  if (value !== undefined && typeof value !== 'number') throw notSeconds(claim);
  return value;
}
