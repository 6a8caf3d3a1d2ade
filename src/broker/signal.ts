import { type ChannelChange } from '../channels/channel.ts';
import { type ApiKey } from '../projects/api-key.ts';
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
  | { kind: 'API_KEY_CHANGED'; projectId: string; apiKey: ApiKey }
  | { kind: 'TOKEN_UPDATED' | 'TOKEN_REVOKED'; projectId: string; token: Token }
  | ChannelChange
  | { kind: 'PRESENCE_CHANGED'; projectId: string; change: PresenceChange }
  /** A direct message to one connection, which skips the log. */
  | { kind: 'CONNECTION_SIGNALLED'; projectId: string; connectionId: string; message: Message };
