import { type Json } from '../names.ts';
import { type ChannelType } from '../projects/permissions.ts';

/** A named place. */
export interface Channel {
  projectId: string;
  id: string;
  type: ChannelType;
  /** A kind of the project's own, whose type it has; null: just its type. */
  kind: string | null;
  state: Json;
  /** Counts the changes of `state`, from 1. */
  version: number;
  /** How many messages the log keeps; null: as many as the service keeps. */
  historyMessages: number | null;
  /** For how long the log keeps them; null: as long as the service does. */
  historySeconds: number | null;
  /** The head of the log when the channel was made. */
  createdAfter: number;
  createdAt: number;
}

/** The durable link “this token is subscribed to this channel”. */
export interface Membership {
  projectId: string;
  channelId: string;
  tokenId: string;
  /** The head of the log when it began: nothing up to there is replayed to it. */
  beganAfter: number;
  createdAt: number;
}

/** What live connections must feel at once. */
export type ChannelChange =
  | { kind: 'CHANNEL_UPDATED'; projectId: string; channel: Channel }
  | { kind: 'CHANNEL_STATE_UPDATED'; projectId: string; channel: Channel }
  | { kind: 'CHANNEL_DELETED'; projectId: string; channelId: string }
  | { kind: 'MEMBERSHIP_BEGAN'; projectId: string; membership: Membership; channel: Channel }
  | { kind: 'MEMBERSHIP_ENDED'; projectId: string; channelId: string; tokenId: string };

/** Tells every node; resolves when live connections have felt it. */
export type AnnounceChannel = (change: ChannelChange) => Promise<unknown>;
