import { type KeyObject } from 'node:crypto';

export const ISSUER_KINDS = ['SIGNALBOX', 'STREAM', 'TWILIO', 'OPENTOK', 'JWKS'] as const;
export type IssuerKind = (typeof ISSUER_KINDS)[number];

/** The algorithms with which a provider may sign: asymmetric ones, for its keys are public. */
export const JWKS_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type JwksAlgorithm = (typeof JWKS_ALGORITHMS)[number];

/** Where a provider says what of its users: the name of a claim, or a JSON pointer (`/realm_access/role`). Null: nowhere. */
export interface ClaimMap {
  identity: string;
  role: string | null;
  grants: string | null;
  connectionData: string | null;
}

/** An OpenID provider, whose keys are fetched from one pinned address. */
export interface Provider {
  /** `https:`; where its JSON Web Key Set is. */
  url: string;
  /** What `iss` must be, to the letter. */
  issuer: string;
  /** What `aud` must be or contain. */
  audience: string;
  algorithms: readonly JwksAlgorithm[];
  claims: ClaimMap;
}

/** Whoever signs credentials that a project accepts besides those that it mints here, and how its claims are read. */
export interface Issuer {
  /** `issuer_…`, or the first id of the API key that signs. */
  id: string;
  projectId: string;
  kind: IssuerKind;
  name: string;
  /** TWILIO: the account SID, which `sub` must be. */
  account: string | null;
  /** TWILIO: the Sync service SID, which the grant must name. */
  service: string | null;
  /** JWKS: where its keys are and how its claims are read. */
  provider: Provider | null;
  createdAt: number;
}

/** A secret with which an issuer signs. */
export interface IssuerKey {
  /** As the issuer calls it: `SK…`, an OpenTok or Stream API key, `key_…`. */
  id: string;
  key: KeyObject;
  /** Milliseconds since 1970 from which it verifies nothing; null: it was not rotated out. */
  expiresAt: number | null;
}
