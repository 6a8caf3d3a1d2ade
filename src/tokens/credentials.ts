/**
 * Credentials that Signalbox signs: signs them for a token, and verifies them for `authenticate.ts`, which
 * then loads the token that the credential names. For credentials of other issuers see
 * `external-credentials.ts`.
 */
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Clock } from '../clock.ts';
import { type NewId } from '../ids.ts';
import { MAX_CREDENTIAL_BYTES, unauthenticated } from './credential-errors.ts';
import { type IssueClock } from './issue-clock.ts';
import { parseSeconds, parseTimes } from './issuers/claims.ts';
import { type Jwt } from './issuers/jwt.ts';
import { type OlderStoreError } from './older-store.ts';
import { type SigningKeys } from './signing-keys.ts';
import { type Token } from './token.ts';

const ISSUER = 'signalbox';
const TYPE = 'signalbox+jwt';

/** The token that a verified credential names. */
export interface VerifiedCredential {
  projectId: string;
  tokenId: string;
  /** Milliseconds since 1970. */
  issuedAt: number;
}

export interface Credentials {
  /**
   * Signs a JWT for `token`. The JWT expires when the token does; later changes of the token's expiry need a
   * new JWT.
   */
  sign(token: Token): Promise<string>;
  /**
   * @param jwt the decoded credential
   * @throws TOKEN_EXPIRED when the credential has expired and is otherwise valid, UNAVAILABLE when it may belong to another
   * store, see `OlderStoreError`, UNAUTHENTICATED for every other fault
   */
  verify(credential: string, jwt: Jwt): Promise<VerifiedCredential>;
}

export function createCredentials(deps: {
  keys: SigningKeys;
  issueClock: IssueClock;
  olderStoreError: OlderStoreError;
  clock: Clock;
  newId: NewId;
}): Credentials {
  const { keys, issueClock, olderStoreError, clock, newId } = deps;
  return {
    async sign(token) {
      const { id, algorithm, signingKey } = await keys.current();
      // `iat` keeps the milliseconds, so that a credential signed right after a revocation is not older than it.
      const jwt = new SignJWT()
        .setProtectedHeader({ alg: algorithm, typ: TYPE, kid: id })
        .setIssuer(ISSUER)
        .setAudience(token.projectId)
        .setSubject(token.id)
        .setJti(newId('jti'))
        .setIssuedAt((await issueClock.next()) / 1000);
      if (token.expiresAt !== null) jwt.setExpirationTime(Math.ceil(token.expiresAt / 1000));
      return jwt.sign(signingKey);
    },
    async verify(credential, { header, payload }) {
      if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) throw unauthenticated('MALFORMED');
      const { kid, typ, alg, crit } = header;
      const key = typeof kid === 'string' ? await keys.find(kid) : undefined;
      const olderStore = typeof kid === 'string' && !key ? olderStoreError(kid) : undefined;
      if (olderStore) throw olderStore;
      if (!key || key.algorithm !== alg || typ !== TYPE || crit !== undefined)
        throw unauthenticated(key ? 'MALFORMED' : 'UNKNOWN_KEY');
      if (!isSignedWith(key.verificationKey, credential)) throw unauthenticated('SIGNATURE');
      const { iss, aud, sub, jti } = payload;
      if (iss !== ISSUER || typeof aud !== 'string' || typeof sub !== 'string' || typeof jti !== 'string')
        throw unauthenticated('CLAIMS');
      const { exp, nbf, iat } = payload;
      parseTimes({ exp, nbf }, clock.now());
      // Not compared with the system clock alone, which may have been set back since it stated the time.
      const issuedAt = parseSeconds(iat, 'iat');
      if (issuedAt === null || !issueClock.canHaveIssued(issuedAt)) throw unauthenticated('CLAIMS');
      return { projectId: aud, tokenId: sub, issuedAt };
    },
  };
}

/**
 * Verifies the HMAC-SHA256 signature of a JWT. Every connect runs this. node:crypto verifies synchronously in
 * a tenth of the time that jose takes, which delegates to another thread.
 */
function isSignedWith(key: KeyObject, credential: string): boolean {
  const end = credential.lastIndexOf('.');
  const expected = createHmac('sha256', key).update(credential.slice(0, end)).digest();
  const actual = Buffer.from(credential.slice(end + 1), 'base64url');
  return actual.length === expected.length && timingSafeEqual(expected, actual);
}
