import { parseName } from '../../names.ts';
import { ACTIONS } from '../../projects/permissions.ts';
import { parseGrants } from '../grants.ts';
import { asCredentialError, parseIdentityClaim } from './claim-values.ts';
import { type Claims, claimsOfUser, parseTimes } from './claims.ts';
import { type Unchecked, verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/**
 * Verifies a Stream user token, as `createToken(userId, exp?, iat?)` of npm `stream-chat` mints it: an HS256 JWT
 * `{ user_id, exp?, iat? }`, signed with the API secret, or a call token, which also has `call_cids` and `role`. Other claims,
 * such as the `iss` and `sub` of Stream's SDK for Java, are ignored. The token names no key, so during a rotation several are tried.
 * Without `exp` it never expires. See Verify.
 */
export const verifyStream: Verify = async (credential, _issuer, keys, context) => {
  const { payload, key } = await verifyHmac(credential, keys, ['HS256']);
  rejectServerToken(payload);
  const identity = parseIdentityClaim(payload['user_id'], 'user_id', 'anyIdentity');
  const claims = { ...claimsOfUser(identity), ...parseScope(payload, context.maxGrants) };
  return { claims: { ...claims, ...parseTimes(payload, context.now) }, key };
};

/** The ids of the only calls and channels that a token opens, in the form `<type>:<id>`. */
const SCOPES = ['call_cids', 'channel_cids'];

/**
 * A call token opens only the calls that it names, with its `role`. Other tokens may have a claim `role` of the backend's own,
 * so there it is ignored.
 */
function parseScope(payload: Unchecked, maxGrants: number): Partial<Pick<Claims, 'grants' | 'role'>> {
  const scopes = SCOPES.filter((claim) => claim in payload);
  if (scopes.length === 0) return {};
  const ids = scopes.flatMap((claim) => parseIds(payload[claim], claim));
  const grants = ids.map((channels) => ({ channels, actions: ACTIONS }));
  const { role } = payload;
  if (role !== undefined && typeof role !== 'string') throw refused('its “role” must be a string');
  return {
    grants: asCredentialError(() => parseGrants(grants, maxGrants)),
    // Of a list, a role that the project does not have counts as absent: Stream's own `user` and `call-member` are no roles here.
    role: role === undefined ? null : [role],
  };
}

function parseIds(value: unknown, claim: string): string[] {
  if (!Array.isArray(value)) throw refused(`its “${claim}” must be a list of ids`);
  return value.map((id: unknown) => {
    if (typeof id !== 'string') throw refused(`its “${claim}” must be a list of ids`);
    // A pattern would open more than the one call that Stream would read in it.
    return asCredentialError(() => parseName('channel', id, `an id in its “${claim}”`));
  });
}

/**
 * Stream backends sign `{ server: true }` with the same API secret, for the REST API.
 * @throws UNAUTHENTICATED when the payload has a `server` claim, of any value
 */
function rejectServerToken(payload: Unchecked): void {
  if ('server' in payload) throw refused(SERVER_TOKEN_REASON);
}

export const SERVER_TOKEN_REASON =
  'it is for a server, not for a connection; mint a user token without “server”';
