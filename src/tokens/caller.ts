import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Restriction } from './restriction.ts';
import { withCredentialRights, type CredentialRights, type Grant, type Token } from './token.ts';

/** Who is asking, after authentication, with everything that decides what it may do. */
export type Caller =
  | { kind: 'API_KEY'; projectId: string; apiKey: ApiKey }
  | {
      kind: 'TOKEN';
      projectId: string;
      /** As the credential has it. */
      token: Token;
      credential: CredentialInfo;
      settings: ProjectSettings;
      /** Those that are in force. */
      restrictions: readonly Restriction[];
    }
  | { kind: 'ANONYMOUS'; projectId: string; settings: ProjectSettings };

export type ApiKeyCaller = Extract<Caller, { kind: 'API_KEY' }>;
export type TokenCaller = Extract<Caller, { kind: 'TOKEN' }>;

/** What is known of the credential that a caller presented. */
export interface CredentialInfo {
  /** Milliseconds since 1970; null: it does not say, and counts as old. */
  issuedAt: number | null;
  /** Whoever signed it, or had it minted: see Token. */
  issuerId: string | null;
  /** The key that signed it; null: ours. */
  keyId: string | null;
  /** When that key stops verifying; null: it was not rotated out. */
  keyExpiresAt: number | null;
  rights: CredentialRights | null;
}

/** A name for logs and rate limits: the id of the key or token, or `anonymous`. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'API_KEY') return caller.apiKey.id;
  return caller.kind === 'TOKEN' ? caller.token.id : 'anonymous';
}

/** When the caller's credential ends by itself; undefined: never. */
export function expiryOf(caller: Caller): number | undefined {
  if (caller.kind === 'API_KEY') return caller.apiKey.expiresAt ?? undefined;
  if (caller.kind === 'ANONYMOUS') return undefined;
  const ends = [caller.token.expiresAt, caller.credential.keyExpiresAt].filter((end) => end !== null);
  return ends.length > 0 ? Math.min(...ends) : undefined;
}

/** When a live connection of the caller ends by itself: a token that has expired has its grace, a key that has ended has none. */
export function lastMomentOf(caller: Caller): number {
  if (caller.kind !== 'TOKEN') return expiryOf(caller) ?? Number.POSITIVE_INFINITY;
  const { token, credential, settings } = caller;
  const graceMs = settings.expiryGraceSeconds * 1000;
  return Math.min(
    (token.expiresAt ?? Number.POSITIVE_INFINITY) + graceMs,
    credential.keyExpiresAt ?? Number.POSITIVE_INFINITY,
  );
}

/** The caller with another state of its record. */
export function withRecord(caller: TokenCaller, record: Token): TokenCaller {
  return { ...caller, token: withCredentialRights(record, caller.credential.rights) };
}

/** The next moment at which the caller may do something else than now, though nobody changes anything. */
export function nextChangeOf(caller: Caller): number {
  if (caller.kind !== 'TOKEN') return Number.POSITIVE_INFINITY;
  const moments = [
    ...caller.restrictions.map(({ until }) => until),
    ...grantsOf(caller.token).map(({ expiresAt }) => expiresAt),
  ];
  return Math.min(Number.POSITIVE_INFINITY, ...moments.filter((moment) => moment != null));
}

/** The caller without the grants and restrictions that have lapsed by `now`. */
export function asOf<C extends Caller>(caller: C, now: number): C {
  if (caller.kind !== 'TOKEN' || now < nextChangeOf(caller)) return caller;
  const { token, restrictions } = caller;
  const isOpen = ({ expiresAt }: Grant) => expiresAt == null || now < expiresAt;
  return {
    ...caller,
    token: {
      ...token,
      grants: token.grants?.filter(isOpen) ?? null,
      credentialRights: token.credentialRights && {
        ...token.credentialRights,
        grants: token.credentialRights.grants?.filter(isOpen) ?? null,
      },
    },
    restrictions: restrictions.filter(({ until }) => until === null || now < until),
  };
}

function grantsOf({ grants, credentialRights }: Token): Grant[] {
  return [...(grants ?? []), ...(credentialRights?.grants ?? [])];
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
