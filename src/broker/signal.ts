import { type ChannelChange } from '../channels/channel.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { type Revocation } from '../tokens/revocation.ts';
import { type Token } from '../tokens/token.ts';
import { type Member } from './leases.ts';
import { type Message } from './message.ts';

/** Why a member of a channel is no longer seen there. */
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
  readonly reason: LeaveReason | null;
  readonly at: number;
}

/** What nodes tell each other besides messages. Plain data: one day it crosses a network. */
export type Signal =
  | { kind: 'PROJECT_UPDATED'; projectId: string; settings: ProjectSettings }
  | { kind: 'API_KEY_CHANGED'; projectId: string; apiKey: ApiKey }
  /** What a key signed ends at `endsAt`; without a key, what any key of the issuer signed. */
  | {
      kind: 'ISSUER_CHANGED';
      projectId: string;
      issuerId: string;
      keyId: string | null;
      endsAt: number;
    }
  | { kind: 'TOKEN_UPDATED' | 'TOKEN_REVOKED'; projectId: string; token: Token }
  | { kind: 'TOKENS_REVOKED'; projectId: string; revocation: Revocation }
  | { kind: 'RESTRICTED' | 'RESTRICTION_LIFTED'; projectId: string; restriction: Restriction }
  | ChannelChange
  | { kind: 'PRESENCE_CHANGED'; projectId: string; change: PresenceChange }
  /** Somebody ends a live connection. */
  | { kind: 'CONNECTION_DISCONNECTED'; projectId: string; connectionId: string; note: string | null }
  /** A direct message to one connection, which skips the log. */
  | { kind: 'CONNECTION_SIGNALLED'; projectId: string; connectionId: string; message: Message };
