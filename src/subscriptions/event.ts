import { type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type PresenceChange } from '../broker/signal.ts';
import { type Channel } from '../channels/channel.ts';
import { type CloseReason } from '../connections/close-reason.ts';
import { type Connection, type ConnectionNotice } from '../connections/connection.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { type Token } from '../tokens/token.ts';

/** Why the inbox no longer delivers messages of a channel. */
export type UnavailableReason = 'UNSUBSCRIBED' | 'NOT_ALLOWED' | 'BANNED' | 'DELETED';

/**
 * Why messages were missed: retention removed them, the cursor does not belong to the current log, or they were published
 * between the cursor and the begin of the membership.
 */
export type GapReason = 'RETENTION' | 'POSITION_LOST' | 'MEMBERSHIP';

/** An event of an inbox. `at`: when the event happened, in milliseconds since 1970. */
export type Event = { readonly at: number } & (
  | {
      readonly type: 'Connected';
      readonly connection: Connection;
      readonly token: Token | null;
      readonly channels: Channel[];
      readonly position: Position;
      readonly resumed: boolean;
    }
  | { readonly type: 'ChannelAvailable'; readonly channel: Channel }
  | { readonly type: 'ChannelUnavailable'; readonly channel: Channel; readonly reason: UnavailableReason }
  | { readonly type: 'ChannelMessage'; readonly message: Message }
  | { readonly type: 'DirectMessage'; readonly message: Message }
  | { readonly type: 'ChannelStateUpdated'; readonly channel: Channel }
  | { readonly type: 'TokenUpdated'; readonly token: Token }
  | { readonly type: 'TokenExpiring'; readonly expiresAt: number }
  | {
      readonly type: 'Gap';
      readonly reason: GapReason;
      readonly channels: Channel[];
      readonly directMessages: boolean;
    }
  | { readonly type: 'PresenceChanged'; readonly presence: PresenceChange }
  | { readonly type: 'Restricted' | 'RestrictionLifted'; readonly restriction: Restriction }
  | { readonly type: 'Disconnecting'; readonly reason: CloseReason; readonly note: string | null }
);

/** The event that an inbox yields for a notice of its connection; undefined when the notice has no event. */
export function eventOfNotice(
  notice: ConnectionNotice,
  { caller }: Connection,
  at: number,
): Event | undefined {
  switch (notice.kind) {
    case 'TOKEN_UPDATED':
      return caller.kind === 'TOKEN' ? { type: 'TokenUpdated', at, token: caller.token } : undefined;
    case 'TOKEN_EXPIRING':
      return { type: 'TokenExpiring', at, expiresAt: notice.expiresAt };
    case 'RESTRICTED':
      return { type: 'Restricted', at, restriction: notice.restriction };
    case 'RESTRICTION_LIFTED':
      return { type: 'RestrictionLifted', at, restriction: notice.restriction };
    case 'DISCONNECTING':
      return { type: 'Disconnecting', at, reason: notice.reason, note: notice.note };
  }
}
