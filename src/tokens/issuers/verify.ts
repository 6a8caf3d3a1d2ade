import { type Claims } from './claims.ts';
import { type Issuer, type IssuerKey } from './issuer.ts';

/** The time and the limits of the project that a credential is verified against. */
export interface VerifyContext {
  /** Milliseconds since 1970. */
  now: number;
  /** The number of grants that one token may have. */
  maxGrants: number;
}

export interface Verified {
  claims: Claims;
  /** The key that signed the credential; null: a key of a JSON Web Key Set. */
  key: IssuerKey | null;
}

/**
 * Verifies the signature and reads the claims of one kind of credential. There is one verifier for each kind that
 * `classifyCredential` tells apart.
 *
 * @param issuer The issuer that the credential names.
 * @param keys Keys of `issuer` that have not expired and that the credential may be signed with. They are tried in order.
 * @throws TOKEN_EXPIRED when the credential has expired and is otherwise valid, UNAUTHENTICATED in all other cases. Errors
 * about the payload are thrown after the signature is verified, so that only the signer can receive them.
 */
export type Verify = (
  credential: string,
  issuer: Issuer,
  keys: readonly IssuerKey[],
  context: VerifyContext,
) => Promise<Verified>;
