import { type Message } from '../message.ts';

/** A channel, as events show it. */
export interface ChannelInfo {
  readonly id: string;
  readonly type: string;
  readonly state: unknown;
  readonly version: number;
}

/** A connection in a channel. */
export interface Member {
  readonly id: string;
  readonly token: string | null;
  readonly identity: string | null;
  readonly connectionData: string | null;
  readonly state: unknown;
  readonly connectedAt: string;
}

/** A change of the presence in a channel. */
export interface PresenceChange {
  readonly change: 'JOINED' | 'LEFT' | 'UPDATED';
  readonly channel: string;
  readonly member: Member;
}

/** The first event of a connection. */
export interface ConnectedEvent {
  readonly __typename: 'Connected';
  /** The time of the service, as an RFC 3339 text. */
  readonly at: string;
  readonly connection: { readonly id: string };
  readonly token: { readonly id: string; readonly identity: string | null } | null;
  readonly cursor: string;
  readonly channels: readonly ChannelInfo[];
}

/** The service cannot replay every message that was missed. */
export interface GapEvent {
  readonly __typename: 'Gap';
  readonly reason: string;
  readonly directMessages: boolean;
  readonly channels: readonly { readonly id: string }[];
}

/** The events of the inbox that the client handles. */
export type InboxEvent =
  | ConnectedEvent
  | GapEvent
  | { readonly __typename: 'ChannelAvailable' | 'ChannelStateUpdated'; readonly channel: ChannelInfo }
  | { readonly __typename: 'ChannelUnavailable'; readonly channel: ChannelInfo; readonly reason: string }
  | { readonly __typename: 'ChannelMessage' | 'DirectMessage'; readonly message: Message }
  | { readonly __typename: 'TokenExpiring'; readonly at: string; readonly expiresAt: string }
  | { readonly __typename: 'PresenceChanged'; readonly presence: PresenceChange }
  | { readonly __typename: 'Disconnecting' | 'TokenUpdated' | 'Restricted' | 'RestrictionLifted' };
