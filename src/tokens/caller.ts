import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type Token } from './token.ts';

/** Who is asking, after authentication. */
export type Caller =
  | { kind: 'API_KEY'; projectId: string; apiKey: ApiKey }
  | { kind: 'TOKEN'; projectId: string; token: Token }
  | { kind: 'ANONYMOUS'; projectId: string };

export type ApiKeyCaller = Extract<Caller, { kind: 'API_KEY' }>;

/** A name for logs and rate limits: the id of the key or token, or `anonymous`. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'API_KEY') return caller.apiKey.id;
  return caller.kind === 'TOKEN' ? caller.token.id : 'anonymous';
}

/** When the caller's credential ends by itself; undefined: never. */
export function expiryOf(caller: Caller): number | undefined {
  if (caller.kind === 'API_KEY') return caller.apiKey.expiresAt ?? undefined;
  return caller.kind === 'TOKEN' ? (caller.token.expiresAt ?? undefined) : undefined;
}

/** @throws UNAUTHENTICATED for anonymous callers, FORBIDDEN for tokens. */
export function requireApiKey(caller: Caller): asserts caller is ApiKeyCaller {
  if (caller.kind === 'API_KEY') return;
  if (caller.kind === 'ANONYMOUS') throw new SignalboxError('UNAUTHENTICATED', 'This needs an API key.');
  throw new SignalboxError('FORBIDDEN', 'This needs an API key; a token may not do it.');
}

/** @throws UNAUTHENTICATED for anonymous callers, FORBIDDEN for other tokens than the one it is about. */
export function requireKeyOrSelf(caller: Caller, tokenId: string): void {
  if (caller.kind === 'TOKEN') {
    if (caller.token.id === tokenId) return;
    throw new SignalboxError('FORBIDDEN', 'This needs an API key, or the token itself.');
  }
  requireApiKey(caller);
}

/** @throws FORBIDDEN unless the caller is the operator's key. */
export function requireOperator(caller: Caller): asserts caller is ApiKeyCaller {
  requireApiKey(caller);
  if (!caller.apiKey.operator) throw new SignalboxError('FORBIDDEN', 'This needs the operator’s API key.');
}
