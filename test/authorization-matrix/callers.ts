import { type ErrorCode } from '../../src/errors.ts';
import { type Action } from './rules.ts';

/** The channels there are, by who may enter: UNPROTECTED, PUBLIC, PRIVATE. */
export const PLACES = ['square', 'room', 'den'] as const;
export type Place = (typeof PLACES)[number];

/** What is known of a caller, and what follows from it. */
export interface CallerFacts {
  kind: 'KEY' | 'TOKEN' | 'ANONYMOUS';
  /** What everything that it asks is refused with: nobody knows who it is. */
  refused?: ErrorCode;
  isOperator?: boolean;
  /** Whether it is of another project. */
  isElsewhere?: boolean;
  /** Whether it is the token that calls are about which a token may make about itself. */
  isSelf?: boolean;
  /** What it may do in which channel; absent: nothing. */
  may?: Partial<Record<Place, readonly Action[]>>;
}

const HEAR = ['SUBSCRIBE', 'PRESENCE'] as const;
const SPEAK = [...HEAR, 'PUBLISH'] as const;
const MODERATE = [...SPEAK, 'MODERATE'] as const;
const everywhere = (actions: readonly Action[]) => ({ square: actions, room: actions, den: actions });

/** Whose credential is good. */
export const KNOWN = {
  'the operator’s key': { kind: 'KEY', isOperator: true },
  'an API key': { kind: 'KEY' },
  'an API key of another project': { kind: 'KEY', isElsewhere: true },
  'nobody in particular': { kind: 'ANONYMOUS', may: { square: ['SUBSCRIBE'] } },
  'nobody in particular, in another project': { kind: 'ANONYMOUS', isElsewhere: true },
  'a guest': { kind: 'TOKEN', may: { square: HEAR, room: HEAR } },
  'a subscriber': { kind: 'TOKEN', may: everywhere(HEAR) },
  'a publisher': { kind: 'TOKEN', isSelf: true, may: everywhere(SPEAK) },
  'a moderator': { kind: 'TOKEN', may: everywhere(MODERATE) },
  'a publisher who is muted': { kind: 'TOKEN', may: everywhere(HEAR) },
  'a moderator who is muted by identity': { kind: 'TOKEN', may: everywhere([...HEAR, 'MODERATE']) },
  'a moderator who is banned': { kind: 'TOKEN' },
  'a moderator whose grants are for other channels': { kind: 'TOKEN' },
  'a moderator of another project': { kind: 'TOKEN', isElsewhere: true },
  'a Stream user who is a member of nothing': { kind: 'TOKEN', may: { square: SPEAK, room: SPEAK } },
  'a moderator by its own backend’s word, in one channel': {
    kind: 'TOKEN',
    may: { room: ['SUBSCRIBE', 'MODERATE'] },
  },
} as const satisfies Record<string, CallerFacts>;

const UNAUTHENTICATED = { kind: 'ANONYMOUS', refused: 'UNAUTHENTICATED' } as const;
const EXPIRED = { kind: 'ANONYMOUS', refused: 'TOKEN_EXPIRED' } as const;
const REVOKED = { kind: 'ANONYMOUS', refused: 'TOKEN_REVOKED' } as const;

/** Whose credential opens nothing, and what they are told. */
export const STRANGERS = {
  'a credential that is none': UNAUTHENTICATED,
  'a credential that nobody signed': UNAUTHENTICATED,
  'an API key that is none': UNAUTHENTICATED,
  'an API key that is unknown': UNAUTHENTICATED,
  'an API key that was revoked': UNAUTHENTICATED,
  'an API key that was rotated out': UNAUTHENTICATED,
  'a credential that has expired': EXPIRED,
  'a credential of a token that was shortened': EXPIRED,
  'a self-minted credential that has expired': EXPIRED,
  'a self-minted credential that is not valid yet': UNAUTHENTICATED,
  'a self-minted credential of tomorrow': UNAUTHENTICATED,
  'a credential of a token that was revoked': REVOKED,
  'a credential whose identity was revoked': REVOKED,
  'a self-minted credential whose issuer was revoked': REVOKED,
  'a self-minted credential without a date, whose identity was revoked': REVOKED,
  'a credential signed by an issuer that was removed': UNAUTHENTICATED,
  'a credential signed with a key that was removed': UNAUTHENTICATED,
  'a credential signed by an API key that does not sign': UNAUTHENTICATED,
  'a credential of one project for another': UNAUTHENTICATED,
  'an API key of one project for another': UNAUTHENTICATED,
  'a Stream credential of one project for another': UNAUTHENTICATED,
} as const satisfies Record<string, CallerFacts>;

export type KnownName = keyof typeof KNOWN;
export type StrangerName = keyof typeof STRANGERS;
