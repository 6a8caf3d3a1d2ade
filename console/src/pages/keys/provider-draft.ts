import {
  type ClaimMapInput,
  type IssuerDetailsFragment,
  type JwksAlgorithm,
  type ProviderInput,
  type UpdateProviderInput,
} from '../../generated/operations.ts';

type Provider = NonNullable<IssuerDetailsFragment['provider']>;

/** The algorithms that a provider may sign with, in the order of the schema. */
export const ALGORITHMS: readonly JwksAlgorithm[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
];

/** The claims that can be named; an empty name is the default. */
export const CLAIMS = ['identity', 'audience', 'role', 'grants', 'connectionData'] as const;

/** An OpenID provider in a form. */
export interface ProviderDraft {
  readonly issuer: string;
  readonly url: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwksAlgorithm[];
  readonly claims: Readonly<Record<(typeof CLAIMS)[number], string>>;
}

export const NO_PROVIDER: ProviderDraft = {
  issuer: '',
  url: '',
  audiences: [],
  algorithms: ['RS256'],
  claims: { identity: '', audience: '', role: '', grants: '', connectionData: '' },
};

/** The form of a provider as it is stored. */
export function draftOf({ issuer, url, audiences, algorithms, claims }: Provider): ProviderDraft {
  const { identity, audience, role, grants, connectionData } = claims;
  return {
    ...{ issuer, url, audiences, algorithms },
    claims: {
      ...{ identity, audience, role: role ?? '' },
      ...{ grants: grants ?? '', connectionData: connectionData ?? '' },
    },
  };
}

/** The argument `input.provider` of a new issuer; what has its default is not sent. */
export function providerOf({ issuer, url, audiences, algorithms, claims }: ProviderDraft): ProviderInput {
  const named = claimsOf(claims);
  return {
    ...{ issuer, url, audiences: [...audiences] },
    ...(differ(algorithms, NO_PROVIDER.algorithms) && { algorithms: [...algorithms] }),
    ...(Object.keys(named).length > 0 && { claims: named }),
  };
}

/** The argument `input.provider` of a changed issuer: what differs; undefined when nothing does. */
export function providerChangesOf(
  before: ProviderDraft,
  draft: ProviderDraft,
): UpdateProviderInput | undefined {
  const changes = {
    ...(draft.url !== before.url && { url: draft.url }),
    ...(differ(draft.audiences, before.audiences) && { audiences: [...draft.audiences] }),
    ...(differ(draft.algorithms, before.algorithms) && { algorithms: [...draft.algorithms] }),
    // They are replaced as a whole.
    ...(differ(draft.claims, before.claims) && { claims: claimsOf(draft.claims) }),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

const claimsOf = (claims: ProviderDraft['claims']): ClaimMapInput =>
  Object.fromEntries(CLAIMS.filter((name) => claims[name] !== '').map((name) => [name, claims[name]]));

const differ = (one: object, other: object) => JSON.stringify(one) !== JSON.stringify(other);
