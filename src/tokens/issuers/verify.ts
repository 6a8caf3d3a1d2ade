import { type Claims } from './claims.ts';
import { type Issuer, type IssuerKey } from './issuer.ts';

/** When a credential is judged, and by which limits of its project. */
export interface VerifyContext {
  /** Milliseconds since 1970. */
  now: number;
  /** How many grants one token may have. */
  maxGrants: number;
}

export interface Verified {
  claims: Claims;
  /** The secret that signed it; null: a key that was fetched. */
  key: IssuerKey | null;
}

/**
 * Judges a credential that `factsOf` took for this kind. `keys` are those of the one issuer that it may have been
 * signed with and that still verify; they are tried in order.
 * @throws TOKEN_EXPIRED when only its time is over, UNAUTHENTICATED for every other fault. What is wrong with the
 * payload is said only to whoever signed it.
 */
export type Verify = (
  credential: string,
  issuer: Issuer,
  keys: readonly IssuerKey[],
  at: VerifyContext,
) => Promise<Verified>;
