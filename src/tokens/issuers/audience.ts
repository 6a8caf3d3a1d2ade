import { claimAt } from './claim-values.ts';
import { type Provider } from './issuer.ts';
import { type Unchecked } from './jwt.ts';

/** Whether the claims of a credential name one of the audiences of the provider. */
export function hasAudience({ audiences, claims }: Provider, payload: Unchecked): boolean {
  const value = claimAt(payload, claims.audience);
  const named: readonly unknown[] = Array.isArray(value) ? value : [value];
  return named.some((name) => typeof name === 'string' && audiences.includes(name));
}
