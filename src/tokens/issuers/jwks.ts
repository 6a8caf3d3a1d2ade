import { type Clock } from '../../clock.ts';
import { hasAudience } from './audience.ts';
import { claimAt, parseIdentityClaim, parseRolesClaim, parseTextClaim } from './claim-values.ts';
import { type Claims, parseTimes } from './claims.ts';
import { parseGrantsClaim } from './grants-claim.ts';
import { type ClaimMap, type Issuer, JWKS_ALGORITHMS, type Provider } from './issuer.ts';
import { JWKS_TIMEOUT_MS } from './jwks-fetch.ts';
import { createKeySet, type KeySet, type KeySetOptions } from './jwks-keys.ts';
import { checkHeader, invalidSignature, isSignedWith, readJwt, type Unchecked } from './jwt.ts';
import { type VerifyContext, type Verified } from './verify.ts';
import { refused } from '../credential-errors.ts';

/** The number of key sets that are cached. The least recently used one is dropped first. */
export const MAX_PROVIDERS = 1000;

/** OpenID providers, whose credentials are JWTs signed with a key of a JSON Web Key Set. */
export interface Providers {
  /**
   * Verifies a credential of the kind JWKS, and fetches the key set of its provider when necessary.
   * @throws TOKEN_EXPIRED when the credential has expired and is otherwise valid, UNAVAILABLE when the key set cannot be
   * fetched and no earlier one may be used, UNAUTHENTICATED in all other cases. TypeError when the issuer has no provider
   * or its URL is not `https:`
   */
  verify(credential: string, issuer: Issuer, context: VerifyContext): Promise<Verified>;
}

/** `timeoutMs`: time limit of one fetch in milliseconds, 5,000 by default. */
export function createProviders(deps: { clock: Clock } & Partial<KeySetOptions>): Providers {
  const options = {
    timeoutMs: JWKS_TIMEOUT_MS,
    allowsPrivateAddress: false,
    onFetchFailed: () => undefined,
    ...deps,
  };
  const keySets = new Map<string, KeySet>();

  const keySetOf = (issuerId: string, url: string): KeySet => {
    const name = `${issuerId} ${url}`;
    const keySet = keySets.get(name) ?? createKeySet(url, options);
    keySets.delete(name);
    keySets.set(name, keySet);
    const [oldest] = keySets.keys();
    if (keySets.size > MAX_PROVIDERS && oldest !== undefined) keySets.delete(oldest);
    return keySet;
  };

  return {
    async verify(credential, { id, provider }, context) {
      if (!provider) throw new TypeError('An issuer of the kind JWKS must have a provider.');
      const keySet = keySetOf(id, provider.url);
      const { header, payload } = readJwt(credential);
      checkHeader(header);
      const alg = header['alg'];
      const kid = header['kid'] ?? undefined;
      const algorithms = JWKS_ALGORITHMS.filter((name) => provider.algorithms.includes(name));
      // Checked before the fetch, so that forged credentials cannot make this service send requests to the provider.
      if (payload['iss'] !== provider.issuer || !algorithms.some((name) => name === alg)) {
        throw invalidSignature();
      }
      if (kid !== undefined && typeof kid !== 'string') throw invalidSignature();
      const key = await keySet.find({ alg: String(alg), kid });
      if (!(await isSignedWith(key, credential, algorithms))) throw invalidSignature();
      return { claims: readProviderClaims(payload, provider, context), key: null };
    },
  };
}

function readProviderClaims(payload: Unchecked, provider: Provider, context: VerifyContext): Claims {
  const { claims: names } = provider;
  const { exp } = payload;
  if (!hasAudience(provider, payload))
    throw refused(`its “${names.audience}” must contain an audience of its issuer`);
  if (exp === undefined) throw refused('it must have an “exp” in seconds since 1970');
  const mapped = (claim: keyof ClaimMap) => {
    const name = names[claim];
    return { value: name === null ? undefined : claimAt(payload, name), name: name ?? claim };
  };
  const [user, role, grants, data] = [
    mapped('identity'),
    mapped('role'),
    mapped('grants'),
    mapped('connectionData'),
  ];
  const identity = parseIdentityClaim(user.value, user.name, 'anyIdentity');
  const claims = {
    subject: identity,
    identity,
    role: parseRolesClaim(role.value, role.name),
    grants: parseGrantsClaim(grants.value, grants.name, context.maxGrants),
    connectionData: parseTextClaim(data.value, data.name),
    channels: [],
    isSingleCredential: false,
  };
  return { ...claims, ...parseTimes(payload, context.now) };
}
