import { parseIdentityClaim } from './claim-values.ts';
import { claimsOfUser, parseTimes } from './claims.ts';
import { type Unchecked, verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/**
 * Verifies a Stream user token, as `createToken(userId, exp?, iat?)` of npm `stream-chat` mints it: an HS256 JWT
 * `{ user_id, exp?, iat? }`, signed with the API secret. Other claims, such as the `iss` and `sub` of Stream's SDK for Java,
 * are ignored. The token names no key, so during a rotation several are tried.
 * Without `exp` it never expires. See Verify.
 */
export const verifyStream: Verify = async (credential, _issuer, keys, context) => {
  const { payload, key } = await verifyHmac(credential, keys, ['HS256']);
  rejectServerToken(payload);
  const identity = parseIdentityClaim(payload['user_id'], 'user_id', 'anyIdentity');
  return { claims: { ...claimsOfUser(identity), ...parseTimes(payload, context.now) }, key };
};

/**
 * Stream backends sign `{ server: true }` with the same API secret, for the REST API.
 * @throws UNAUTHENTICATED when the payload has a `server` claim, of any value
 */
function rejectServerToken(payload: Unchecked): void {
  if ('server' in payload) throw refused(SERVER_TOKEN_REASON);
}

export const SERVER_TOKEN_REASON =
  'it is for a server, not for a connection; mint a user token without “server”';
