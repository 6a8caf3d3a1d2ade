import { type KeyObject } from 'node:crypto';

export const ISSUER_KINDS = ['SIGNALBOX', 'STREAM', 'TWILIO', 'OPENTOK', 'JWKS'] as const;
export type IssuerKind = (typeof ISSUER_KINDS)[number];

/** The algorithms that a provider may sign with (RFC 7518, section 3.1). All are asymmetric, because its keys are public. */
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

/** The claims that a provider uses: the name of a claim, or a JSON pointer such as `/realm_access/role`. Null: no claim. */
export interface ClaimMap {
  identity: string;
  /** The claim that names the application that the credential is for. */
  audience: string;
  role: string | null;
  grants: string | null;
  connectionData: string | null;
}

/** An OpenID provider, whose JSON Web Key Set (RFC 7517) is fetched from one fixed URL. */
export interface Provider {
  /** The `https:` URL of the JSON Web Key Set. */
  url: string;
  /** `iss` must equal this string exactly. */
  issuer: string;
  /** The claim that names the audience must be one of these, or a list that contains one of them. 1–20. */
  audiences: readonly string[];
  algorithms: readonly JwksAlgorithm[];
  claims: ClaimMap;
}

/** A signer whose credentials a project accepts in addition to those that this service mints. */
export interface Issuer {
  /** `issuer_…`, or for API keys that sign the id of the first key in the line of rotations (`key_…`). */
  id: string;
  projectId: string;
  kind: IssuerKind;
  name: string;
  /** TWILIO: the account SID (`AC…`) that `sub` must equal; null for other kinds. */
  account: string | null;
  /** TWILIO: the Sync service SID (`IS…`) that the Sync grant must name; null: any service. */
  service: string | null;
  /** JWKS: the provider and how its claims are mapped; null for other kinds. */
  provider: Provider | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** A shared secret that an issuer signs with. */
export interface IssuerKey {
  /** The id that credentials name the key by: a Twilio API key SID (`SK…`), an OpenTok or Stream API key, `key_…`. */
  id: string;
  key: KeyObject;
  /** Milliseconds since 1970 from which the key verifies nothing; null: the key does not expire. */
  expiresAt: number | null;
}
