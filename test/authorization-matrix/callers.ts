import { type ErrorCode } from '../../src/errors.ts';

export const SCOPES = ['READ', 'PUBLISH', 'TOKENS', 'CHANNELS', 'MODERATE', 'KEYS', 'ADMIN'] as const;
export type Scope = (typeof SCOPES)[number];

export type Action = 'SUBSCRIBE' | 'PUBLISH' | 'PRESENCE' | 'MODERATE';

/** The channels of the matrix, of type UNPROTECTED, PUBLIC and PRIVATE. */
export const CHANNELS = ['square', 'room', 'den'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** The properties of a caller from which `expectedRefusal` derives the expected errors. */
export interface CallerProfile {
  kind: 'KEY' | 'TOKEN' | 'ANONYMOUS';
  /** If its credential is rejected: the error code of every operation. */
  refused?: ErrorCode;
  isOperator?: boolean;
  /** Of an API key. Default: all scopes. */
  scopes?: readonly Scope[];
  /** The only channel that an API key may act in. Default: every channel, and everything outside channels. */
  onlyIn?: ChannelName;
  /** Whether the caller belongs to another project. */
  isForeign?: boolean;
  /** Whether the caller is the token that calls with the rule SELF refer to. */
  isSelf?: boolean;
  /** The allowed actions per channel. Default: none. */
  may?: Partial<Record<ChannelName, readonly Action[]>>;
}

const RECEIVE = ['SUBSCRIBE', 'PRESENCE'] as const;
const PUBLISH = [...RECEIVE, 'PUBLISH'] as const;
const MODERATE = [...PUBLISH, 'MODERATE'] as const;
const everywhere = (actions: readonly Action[]) => ({ square: actions, room: actions, den: actions });

/** Callers with an accepted credential. */
export const ACCEPTED_CALLERS = {
  'the operator’s key': { kind: 'KEY', isOperator: true },
  'an API key': { kind: 'KEY' },
  'an API key with the scope READ': { kind: 'KEY', scopes: ['READ'] },
  'an API key with the scope PUBLISH': { kind: 'KEY', scopes: ['PUBLISH'] },
  'an API key with the scope TOKENS': { kind: 'KEY', scopes: ['TOKENS'] },
  'an API key with the scope CHANNELS': { kind: 'KEY', scopes: ['CHANNELS'] },
  'an API key with the scope MODERATE': { kind: 'KEY', scopes: ['MODERATE'] },
  'an API key with the scope KEYS': { kind: 'KEY', scopes: ['KEYS'] },
  'an API key with the scope ADMIN': { kind: 'KEY', scopes: ['ADMIN'] },
  'an API key limited to one channel': {
    kind: 'KEY',
    scopes: ['READ', 'PUBLISH', 'CHANNELS', 'MODERATE'],
    onlyIn: 'room',
  },
  'an API key of another project': { kind: 'KEY', isForeign: true },
  'an anonymous caller': { kind: 'ANONYMOUS', may: { square: ['SUBSCRIBE'] } },
  'an anonymous caller of another project': { kind: 'ANONYMOUS', isForeign: true },
  'a guest': { kind: 'TOKEN', may: { square: RECEIVE, room: RECEIVE } },
  'a subscriber': { kind: 'TOKEN', may: everywhere(RECEIVE) },
  'a publisher': { kind: 'TOKEN', isSelf: true, may: everywhere(PUBLISH) },
  'a moderator': { kind: 'TOKEN', may: everywhere(MODERATE) },
  'a muted publisher': { kind: 'TOKEN', may: everywhere(RECEIVE) },
  'a moderator whose identity is muted': { kind: 'TOKEN', may: everywhere([...RECEIVE, 'MODERATE']) },
  'a banned moderator': { kind: 'TOKEN' },
  'a moderator whose grants are for other channels': { kind: 'TOKEN' },
  'a moderator of another project': { kind: 'TOKEN', isForeign: true },
  'a Stream user without memberships': { kind: 'TOKEN', may: { square: PUBLISH, room: PUBLISH } },
  'a moderator with credential grants for one channel': {
    kind: 'TOKEN',
    may: { room: ['SUBSCRIBE', 'MODERATE'] },
  },
} as const satisfies Record<string, CallerProfile>;

const UNAUTHENTICATED = { kind: 'ANONYMOUS', refused: 'UNAUTHENTICATED' } as const;
const EXPIRED = { kind: 'ANONYMOUS', refused: 'TOKEN_EXPIRED' } as const;
const REVOKED = { kind: 'ANONYMOUS', refused: 'TOKEN_REVOKED' } as const;

/** Callers with a rejected credential, each with the error code. */
export const REJECTED_CALLERS = {
  'a malformed credential': UNAUTHENTICATED,
  'an unsigned credential': UNAUTHENTICATED,
  'a malformed API key': UNAUTHENTICATED,
  'an unknown API key': UNAUTHENTICATED,
  'a revoked API key': UNAUTHENTICATED,
  'a rotated API key after its overlap': UNAUTHENTICATED,
  'an expired credential': EXPIRED,
  'a credential of a token with a shortened expiry': EXPIRED,
  'an expired external credential': EXPIRED,
  'an external credential that is not valid yet': UNAUTHENTICATED,
  'an external credential issued in the future': UNAUTHENTICATED,
  'a credential of a revoked token': REVOKED,
  'a credential of a revoked identity': REVOKED,
  'an external credential of a revoked issuer': REVOKED,
  'an external credential without iat, of a revoked identity': REVOKED,
  'a credential of a removed issuer': UNAUTHENTICATED,
  'a credential signed with a removed key': UNAUTHENTICATED,
  'a credential signed with an API key that may not sign': UNAUTHENTICATED,
  'a credential presented to another project': UNAUTHENTICATED,
  'an API key presented to another project': UNAUTHENTICATED,
  'a Stream credential presented to another project': UNAUTHENTICATED,
} as const satisfies Record<string, CallerProfile>;

export type AcceptedName = keyof typeof ACCEPTED_CALLERS;
export type RejectedName = keyof typeof REJECTED_CALLERS;
