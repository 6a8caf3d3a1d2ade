import { type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type PresenceChange } from '../broker/signal.ts';
import { type Channel } from '../channels/channel.ts';
import { type CloseReason, type Connection } from '../connections/connection.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { type Token } from '../tokens/token.ts';

/** Why a channel is no longer heard. */
export type UnavailableReason = 'UNSUBSCRIBED' | 'NOT_ALLOWED' | 'BANNED' | 'DELETED';

/** Why something was missed: it is no longer kept, or the cursor is of no log that is kept. */
export type GapReason = 'RETENTION' | 'POSITION_LOST';

/** What an inbox yields. `at`: when it happened, in milliseconds since 1970. */
export type Event = { readonly at: number } & (
  | {
      readonly type: 'Connected';
      readonly connection: Connection;
      readonly token: Token | null;
      readonly channels: Channel[];
      readonly position: Position;
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

/**
 * Makes something of a cause once, however many subscribers ask: what is one object is executed once. It is kept as long
 * as its cause is. The last one is asked for most, for a cause is handed to all before the next.
 */
export function memoizeByIdentity<Cause extends object, Made>(
  make: (cause: Cause) => Made,
): (cause: Cause) => Made {
  const known = new WeakMap<Cause, Made>();
  let last: { cause: Cause; made: Made } | undefined;
  return (cause) => {
    if (last?.cause === cause) return last.made;
    const made = known.get(cause) ?? make(cause);
    known.set(cause, made);
    last = { cause, made };
    return made;
  };
}
