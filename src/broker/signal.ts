import { type ChannelChange } from '../channels/channel.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { type Revocation } from '../tokens/revocation.ts';
import { type Token } from '../tokens/token.ts';
import { type Member } from './leases.ts';
import { type Message } from './message.ts';

/** Why a member left the presence of a channel. */
export type LeaveReason =
  | 'LEFT'
  | 'CONNECTION_LOST'
  | 'EXPIRED'
  | 'REVOKED'
  | 'NOT_ALLOWED'
  | 'DISCONNECTED'
  | 'SLOW_CONSUMER'
  | 'DRAINING'
  | 'LEASE_LAPSED';

export interface PresenceChange {
  readonly change: 'JOINED' | 'LEFT' | 'UPDATED';
  readonly projectId: string;
  readonly channelId: string;
  readonly member: Member;
  /** Null unless `change` is LEFT. */
  readonly reason: LeaveReason | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A control event that nodes exchange besides messages. Plain data, so that it can be serialized for a network. */
export type Signal =
  | { kind: 'PROJECT_UPDATED'; projectId: string; settings: ProjectSettings }
  | { kind: 'API_KEY_CHANGED'; projectId: string; apiKey: ApiKey }
  /** Credentials signed by `keyId` expire at `endsAt` (milliseconds since 1970). A null `keyId` means every key of the issuer. */
  | {
      kind: 'ISSUER_CHANGED';
      projectId: string;
      issuerId: string;
      keyId: string | null;
      endsAt: number;
    }
  /** The keys that sign the credentials of all projects were replaced. */
  | { kind: 'SIGNING_KEYS_ROTATED'; projectId: null }
  | { kind: 'TOKEN_UPDATED' | 'TOKEN_REVOKED'; projectId: string; token: Token }
  | { kind: 'TOKENS_REVOKED'; projectId: string; revocation: Revocation }
  | { kind: 'RESTRICTED' | 'RESTRICTION_LIFTED'; projectId: string; restriction: Restriction }
  | ChannelChange
  | { kind: 'PRESENCE_CHANGED'; projectId: string; change: PresenceChange }
  /** A backend or a moderator disconnects a live connection. */
  | { kind: 'CONNECTION_DISCONNECTED'; projectId: string; connectionId: string; note: string | null }
  /** A direct message to one connection; it skips the log. */
  | { kind: 'CONNECTION_MESSAGE'; projectId: string; connectionId: string; message: Message };

/** The kinds of signals that take no right away. There can be very many of them. */
export const ENDS_NO_RIGHTS: ReadonlySet<Signal['kind']> = new Set<Signal['kind']>([
  'CHANNEL_STATE_UPDATED',
  'MEMBERSHIP_BEGAN',
  'PRESENCE_CHANGED',
  'CONNECTION_DISCONNECTED',
  'CONNECTION_MESSAGE',
]);

/** The kinds of signals of this version. A newer node may send others. */
export const SIGNAL_KINDS: ReadonlySet<string> = new Set(
  Object.keys({
    PROJECT_UPDATED: true,
    API_KEY_CHANGED: true,
    ISSUER_CHANGED: true,
    SIGNING_KEYS_ROTATED: true,
    TOKEN_UPDATED: true,
    TOKEN_REVOKED: true,
    TOKENS_REVOKED: true,
    RESTRICTED: true,
    RESTRICTION_LIFTED: true,
    CHANNEL_UPDATED: true,
    CHANNEL_STATE_UPDATED: true,
    CHANNEL_DELETED: true,
    MEMBERSHIP_BEGAN: true,
    MEMBERSHIP_ENDED: true,
    PRESENCE_CHANGED: true,
    CONNECTION_DISCONNECTED: true,
    CONNECTION_MESSAGE: true,
  } satisfies Record<Signal['kind'], true>),
);
