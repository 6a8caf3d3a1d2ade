import { forbidden, SignalboxError } from '../errors.ts';
import { type ApiKey, type ApiKeyScope } from '../projects/api-key.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { refusalOf } from './api-key-rights.ts';
import { type Restriction } from './restriction.ts';
import { withCredentialRights, type CredentialRights, type Grant, type Token } from './token.ts';

/** The authenticated caller, with everything that authorization needs. */
export type Caller =
  | { kind: 'API_KEY'; projectId: string; apiKey: ApiKey }
  | {
      kind: 'TOKEN';
      projectId: string;
      /** The record, narrowed by the credential: see `withCredentialRights`. */
      token: Token;
      credential: CredentialInfo;
      settings: ProjectSettings;
      /** The mutes and bans in force. */
      restrictions: readonly Restriction[];
    }
  | { kind: 'ANONYMOUS'; projectId: string; settings: ProjectSettings };

export type ApiKeyCaller = Extract<Caller, { kind: 'API_KEY' }>;
export type TokenCaller = Extract<Caller, { kind: 'TOKEN' }>;

/** The credential that a token caller presented, without the credential's text. */
export interface CredentialInfo {
  /** Milliseconds since 1970; null: not stated, so every matching revocation applies. */
  issuedAt: number | null;
  /** The issuer: see `Token.issuerId`. */
  issuerId: string | null;
  /** The key of the issuer that signed the credential; null: a key of Signalbox, or a fetched key. */
  keyId: string | null;
  /** When that key stops verifying, in milliseconds since 1970; null: the key was not rotated out. */
  keyExpiresAt: number | null;
  /** The rights that the credential claims; null: Signalbox signed it, and the record holds the rights. */
  rights: CredentialRights | null;
}

/** A name for logs and rate limits: the id of the API key or token, or `anonymous`. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'API_KEY') return caller.apiKey.id;
  return caller.kind === 'TOKEN' ? caller.token.id : 'anonymous';
}

/** When the caller's API key or credential expires, in milliseconds since 1970; undefined: never. */
export function expiryOf(caller: Caller): number | undefined {
  if (caller.kind === 'API_KEY') return caller.apiKey.expiresAt ?? undefined;
  if (caller.kind === 'ANONYMOUS') return undefined;
  const expiries = [caller.token.expiresAt, caller.credential.keyExpiresAt].filter((at) => at !== null);
  return expiries.length > 0 ? Math.min(...expiries) : undefined;
}

/**
 * When a live connection of the caller is closed, in milliseconds since 1970; infinite: never. The project's
 * grace period extends the expiry of a token, but not the expiry of the key that signed its credential.
 */
export function closesAt(caller: Caller): number {
  if (caller.kind !== 'TOKEN') return expiryOf(caller) ?? Number.POSITIVE_INFINITY;
  const { token, credential, settings } = caller;
  const graceMs = settings.expiryGraceSeconds * 1000;
  return Math.min(
    (token.expiresAt ?? Number.POSITIVE_INFINITY) + graceMs,
    credential.keyExpiresAt ?? Number.POSITIVE_INFINITY,
  );
}

/** The caller with an updated token record. */
export function withRecord(caller: TokenCaller, record: Token): TokenCaller {
  return { ...caller, token: withCredentialRights(record, caller.credential.rights) };
}

/** When the next grant or restriction of the caller lapses, in milliseconds since 1970; infinite: never. */
export function nextChangeAt(caller: Caller): number {
  let next = Number.POSITIVE_INFINITY;
  if (caller.kind !== 'TOKEN') return next;
  // Loops instead of temporary arrays, because every connect calls this several times.
  const { restrictions, token } = caller;
  for (const { until } of restrictions) next = Math.min(next, until ?? next);
  for (const { expiresAt } of token.grants ?? []) next = Math.min(next, expiresAt ?? next);
  for (const { expiresAt } of token.credentialRights?.grants ?? []) next = Math.min(next, expiresAt ?? next);
  return next;
}

/**
 * The caller without the grants and restrictions that have lapsed by `now`; the same object when none has.
 */
export function applyLapses<C extends Caller>(caller: C, now: number): C {
  if (caller.kind !== 'TOKEN' || now < nextChangeAt(caller)) return caller;
  const { token, restrictions } = caller;
  const isInForce = ({ expiresAt }: Grant) => expiresAt == null || now < expiresAt;
  return {
    ...caller,
    token: {
      ...token,
      grants: token.grants?.filter(isInForce) ?? null,
      credentialRights: token.credentialRights && {
        ...token.credentialRights,
        grants: token.credentialRights.grants?.filter(isInForce) ?? null,
      },
    },
    restrictions: restrictions.filter(({ until }) => until === null || now < until),
  };
}

/**
 * Requires an API key with the scope. A key that is limited to some channels is refused for other channels, and when `channel`
 * is undefined.
 * @throws UNAUTHENTICATED for anonymous callers, FORBIDDEN for tokens and for API keys without these rights
 */
export function requireApiKey(
  caller: Caller,
  scope: ApiKeyScope,
  channel?: string,
): asserts caller is ApiKeyCaller {
  if (caller.kind === 'API_KEY') {
    const refusal = refusalOf(caller.apiKey, scope, channel);
    if (refusal !== undefined) throw forbidden(`Refused: ${refusal}.`);
    return;
  }
  if (caller.kind === 'ANONYMOUS')
    throw new SignalboxError(
      'UNAUTHENTICATED',
      'No credential was sent. This operation requires an API key.',
    );
  throw new SignalboxError('FORBIDDEN', 'This operation requires an API key; tokens may not use it.');
}

/**
 * Requires the token itself, or an API key as `requireApiKey` does.
 * @throws UNAUTHENTICATED for anonymous callers, FORBIDDEN for tokens other than `tokenId` and for API keys without the rights
 */
export function requireKeyOrSelf(
  caller: Caller,
  tokenId: string,
  scope: ApiKeyScope,
  channel?: string,
): void {
  if (caller.kind === 'TOKEN') {
    if (caller.token.id === tokenId) return;
    throw new SignalboxError('FORBIDDEN', 'This operation requires an API key, or the token itself.');
  }
  if (caller.kind === 'ANONYMOUS')
    throw new SignalboxError(
      'UNAUTHENTICATED',
      'No credential was sent. This operation requires an API key, or the token itself.',
    );
  requireApiKey(caller, scope, channel);
}

/**
 * @throws UNAUTHENTICATED for anonymous callers, FORBIDDEN for tokens and for API keys other than the
 * operator's
 */
export function requireOperator(caller: Caller): asserts caller is ApiKeyCaller {
  requireApiKey(caller, 'ADMIN');
  if (!caller.apiKey.operator)
    throw new SignalboxError('FORBIDDEN', 'This operation requires the operator’s API key.');
}
