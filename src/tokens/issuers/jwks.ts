import { type Clock } from '../../clock.ts';
import { claimAt, identityOf, roleOf, textOf } from './claim-values.ts';
import { type Claims, parseTimes } from './claims.ts';
import { grantsOf } from './grants-claim.ts';
import { type ClaimMap, type Issuer, JWKS_ALGORITHMS, type Provider } from './issuer.ts';
import { JWKS_TIMEOUT_MS } from './jwks-fetch.ts';
import { createKeySet, type FetchOptions, type KeySet } from './jwks-keys.ts';
import { checkHeader, isSignedWith, readJwt, type Unchecked, unsigned } from './jwt.ts';
import { type VerifyContext, type Verified } from './verify.ts';
import { refused } from '../credential-errors.ts';

/** How many providers' keys are kept; those that were wanted longest ago go first. */
export const MAX_PROVIDERS = 1000;

export interface Providers {
  /**
   * Judges a credential that a provider signed; its keys are fetched when they are wanted.
   * @throws TOKEN_EXPIRED when only its time is over, UNAVAILABLE when the provider does not answer and nothing that
   * it said before serves, UNAUTHENTICATED for every other fault. TypeError when the issuer is no provider by https.
   */
  verify(credential: string, issuer: Issuer, at: VerifyContext): Promise<Verified>;
}

/** `timeoutMs`: for one fetch, 5,000 unless told otherwise. */
export function createProviders(parts: { clock: Clock } & Partial<FetchOptions>): Providers {
  const options = { timeoutMs: JWKS_TIMEOUT_MS, onFetchFailed: () => undefined, ...parts };
  const sets = new Map<string, KeySet>();

  const keysOf = (issuerId: string, url: string): KeySet => {
    const name = `${issuerId} ${url}`;
    const set = sets.get(name) ?? createKeySet(url, options);
    sets.delete(name);
    sets.set(name, set);
    const [oldest] = sets.keys();
    if (sets.size > MAX_PROVIDERS && oldest !== undefined) sets.delete(oldest);
    return set;
  };

  return {
    async verify(credential, { id, provider }, at) {
      if (!provider) throw new TypeError('An issuer of the kind JWKS has a provider.');
      const keys = keysOf(id, provider.url);
      const { header, payload } = readJwt(credential);
      checkHeader(header);
      const { alg, kid } = header;
      const algorithms = JWKS_ALGORITHMS.filter((name) => provider.algorithms.includes(name));
      // Before anything is fetched: nobody makes us ask a provider for what cannot be its own.
      if (payload['iss'] !== provider.issuer || !algorithms.some((name) => name === alg)) throw unsigned();
      if (kid !== undefined && typeof kid !== 'string') throw unsigned();
      const key = await keys.find({ alg: String(alg), kid });
      if (!(await isSignedWith(key, credential, algorithms))) throw unsigned();
      return { claims: readProviderClaims(payload, provider, at), key: null };
    },
  };
}

function readProviderClaims(
  payload: Unchecked,
  { audience, claims: names }: Provider,
  at: VerifyContext,
): Claims {
  const { aud, exp } = payload;
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) {
    throw refused('its “aud” does not name the audience of its issuer');
  }
  if (exp === undefined) throw refused('it must have an “exp”');
  const mapped = (claim: keyof ClaimMap) => {
    const name = names[claim];
    return { value: name === null ? undefined : claimAt(payload, name), name: name ?? claim };
  };
  const [who, role, grants, data] = [
    mapped('identity'),
    mapped('role'),
    mapped('grants'),
    mapped('connectionData'),
  ];
  const identity = identityOf(who.value, who.name);
  const said = {
    subject: identity,
    identity,
    role: roleOf(role.value, role.name),
    grants: grantsOf(grants.value, grants.name, at.maxGrants),
    connectionData: textOf(data.value, data.name),
    channels: [],
    isOneCredential: false,
  };
  return { ...said, ...parseTimes(payload, at.now) };
}
