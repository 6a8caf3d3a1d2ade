import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { type SigningKeys } from './signing-keys.ts';
import { type Token } from './token.ts';

const ISSUER = 'signalbox';
const TYPE = 'signalbox+jwt';
export const MAX_CREDENTIAL_BYTES = 8192;
/** How far ahead of ours the clock of whoever signed may run. */
const MAX_SKEW_SECONDS = 5;

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
      const { id, algorithm, key } = await keys.current();
      // To the millisecond: what is minted right after a revocation is not older than it.
      const jwt = new SignJWT()
        .setProtectedHeader({ alg: algorithm, typ: TYPE, kid: id })
        .setIssuer(ISSUER)
        .setAudience(token.projectId)
        .setSubject(token.id)
        .setJti(newId('jti'))
        .setIssuedAt(clock.now() / 1000);
      if (token.expiresAt !== null) jwt.setExpirationTime(Math.ceil(token.expiresAt / 1000));
      return jwt.sign(key);
    },
    async verify(credential) {
      const kid = credential.length > MAX_CREDENTIAL_BYTES ? undefined : kidOf(credential);
      // Outside of what is caught: that the keys cannot be read is a fault of ours, not of the credential.
      const signingKey = kid === undefined ? undefined : await keys.find(kid);
      if (!signingKey) throw unauthenticated();
      try {
        const { payload } = await jwtVerify(credential, signingKey.key, {
          algorithms: [signingKey.algorithm],
          typ: TYPE,
          issuer: ISSUER,
          requiredClaims: ['aud', 'sub', 'iat', 'jti'],
          currentDate: new Date(clock.now()),
        });
        const { aud, sub, iat } = payload;
        if (typeof aud !== 'string' || typeof sub !== 'string' || typeof iat !== 'number')
          throw unauthenticated();
        if (iat * 1000 > clock.now() + MAX_SKEW_SECONDS * 1000) throw unauthenticated();
        return { projectId: aud, tokenId: sub, issuedAt: Math.round(iat * 1000) };
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw tokenExpired();
        throw unauthenticated();
      }
    },
  };
}

function kidOf(credential: string): string | undefined {
  try {
    return decodeProtectedHeader(credential).kid;
  } catch {
    return undefined;
  }
}

export function unauthenticated(): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', 'The credential is not one of ours.');
}

export function tokenExpired(): SignalboxError {
  return new SignalboxError('TOKEN_EXPIRED', 'The token has expired.');
}

export function tokenRevoked(): SignalboxError {
  return new SignalboxError('TOKEN_REVOKED', 'The token was revoked.');
}
