import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Clock } from '../clock.ts';
import { type NewId } from '../ids.ts';
import { parseTimes } from './issuers/claims.ts';
import { readJwt, type Jwt } from './issuers/jwt.ts';
import { type SigningKeys } from './signing-keys.ts';
import { type Token } from './token.ts';
import { MAX_CREDENTIAL_BYTES, unauthenticated } from './credential-errors.ts';

const ISSUER = 'signalbox';
const TYPE = 'signalbox+jwt';
/** What a credential proves: that its bearer holds this token of this project. */
export interface Proof {
  projectId: string;
  tokenId: string;
  /** Milliseconds since 1970. */
  issuedAt: number;
}

export interface Credentials {
  /** A JWT that proves `token`; it expires with the token as the token stands now. */
  mint(token: Token): Promise<string>;
  /** @throws TOKEN_EXPIRED when only its time is over, UNAUTHENTICATED for every other fault. */
  verify(credential: string): Promise<Proof>;
}

export function createCredentials(parts: { keys: SigningKeys; clock: Clock; newId: NewId }): Credentials {
  const { keys, clock, newId } = parts;
  return {
    async mint(token) {
      const { id, algorithm, signs } = await keys.current();
      // To the millisecond: what is minted right after a revocation is not older than it.
      const jwt = new SignJWT()
        .setProtectedHeader({ alg: algorithm, typ: TYPE, kid: id })
        .setIssuer(ISSUER)
        .setAudience(token.projectId)
        .setSubject(token.id)
        .setJti(newId('jti'))
        .setIssuedAt(clock.now() / 1000);
      if (token.expiresAt !== null) jwt.setExpirationTime(Math.ceil(token.expiresAt / 1000));
      return jwt.sign(signs);
    },
    async verify(credential) {
      const { header, payload } = read(credential);
      const { kid, typ, alg, crit } = header;
      const key = typeof kid === 'string' ? await keys.find(kid) : undefined;
      if (!key || key.algorithm !== alg || typ !== TYPE || crit !== undefined) throw unauthenticated();
      if (!isSignedWith(key.verifies, credential)) throw unauthenticated();
      const { iss, aud, sub, jti } = payload;
      if (iss !== ISSUER || typeof aud !== 'string' || typeof sub !== 'string' || typeof jti !== 'string')
        throw unauthenticated();
      const { issuedAt } = parseTimes(payload, clock.now());
      if (issuedAt === null) throw unauthenticated();
      return { projectId: aud, tokenId: sub, issuedAt };
    },
  };
}

function read(credential: string): Jwt {
  if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) throw unauthenticated();
  try {
    return readJwt(credential);
  } catch {
    throw unauthenticated();
  }
}

/**
 * Whether the key made the signature of a JWT that was read: HMAC with SHA-256. By ourselves, because every connect does
 * it: in one turn it takes a tenth of what jose takes, which hands it to another thread.
 */
function isSignedWith(key: KeyObject, credential: string): boolean {
  const end = credential.lastIndexOf('.');
  const made = createHmac('sha256', key).update(credential.slice(0, end)).digest();
  const given = Buffer.from(credential.slice(end + 1), 'base64url');
  return given.length === made.length && timingSafeEqual(given, made);
}
