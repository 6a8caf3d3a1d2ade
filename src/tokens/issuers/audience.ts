import { claimAt } from './claim-values.ts';
import { type Provider } from './issuer.ts';
import { type Unchecked } from './jwt.ts';

/**
 * Whether the claims of a credential name one of the audiences of the provider. The claim `scope` is a list that is separated
 * by spaces (RFC 8693, section 4.2); Dynamic says there alone whether the user has signed in completely.
 */
export function hasAudience({ audiences, claims }: Provider, payload: Unchecked): boolean {
  const value = claimAt(payload, claims.audience);
  const named: readonly unknown[] = Array.isArray(value) ? value : names(claims.audience, value);
  return named.some((name) => typeof name === 'string' && audiences.includes(name));
}

function names(claim: string, value: unknown): readonly unknown[] {
  return claim === 'scope' && typeof value === 'string' ? value.split(' ') : [value];
}
