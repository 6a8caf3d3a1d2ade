import { parseIdentityClaim } from './claim-values.ts';
import { decodeAnyBase64 } from './base64.ts';
import { claimsOfUser, type Claims } from './claims.ts';
import { parseObject } from './jwt.ts';
import { refused } from '../credential-errors.ts';

const HEADER = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
const SIGNATURE = 'devtoken';

/**
 * Makes an unsigned development token in the format of `devToken()` of npm `stream-chat`: a fixed header, the payload
 * `{ user_id }` in standard base64 with padding, and the word `devtoken` in place of a signature. It proves nothing:
 * anyone who knows the format can make one.
 */
export function mintDevelopmentToken(identity: string): string {
  const payload = Buffer.from(JSON.stringify({ user_id: identity })).toString('base64');
  return `${HEADER}.${payload}.${SIGNATURE}`;
}

/**
 * The `user_id` of a development token; null when the credential is not a development token.
 * @throws UNAUTHENTICATED when it is a development token with another payload
 */
export function parseDevelopmentToken(credential: string): string | null {
  // Runs for every credential, so most of them are excluded before they are split.
  if (!credential.endsWith(SIGNATURE)) return null;
  const [header, middle = '', signature, ...more] = credential.split('.', 4);
  if (header !== HEADER || signature !== SIGNATURE || more.length > 0) return null;
  const bytes = decodeAnyBase64(middle);
  const payload = bytes ? parseObject(bytes) : {};
  const { user_id: identity } = payload;
  if (Object.keys(payload).length !== 1 || typeof identity !== 'string' || identity === '') {
    throw refused('the payload of a development token must be one “user_id” that is not empty');
  }
  return identity;
}

/** The claims of a development token. @throws UNAUTHENTICATED when `identity` is not a valid identity */
export function readDevelopmentToken(kind: { identity: string }): Claims {
  const identity = parseIdentityClaim(kind.identity, 'user_id');
  return { ...claimsOfUser(identity), issuedAt: null, expiresAt: null };
}
