import { SignalboxError } from '../errors.ts';
import { type Json } from '../names.ts';
import { type ChannelType } from '../projects/permissions.ts';
import { type Announce } from '../store/write.ts';

/** A channel: the address that messages are published to, with a type, a state and a history policy. */
export interface Channel {
  projectId: string;
  id: string;
  type: ChannelType;
  /** A channel kind that the project defines; it determines `type`. Null: the channel has a type only. */
  kind: string | null;
  state: Json;
  /** True when the stored state cannot be read; `state` is then null. Replacing the state mends the channel. */
  isDamaged?: true;
  /** The version of `state`: 1 at creation, plus 1 with each change. */
  version: number;
  /** The number of messages that the log keeps; null: as many as the service keeps (`retentionMessages`). */
  historyMessages: number | null;
  /** How long the log keeps a message, in seconds; null: as long as the service does (`retentionSeconds`). */
  historySeconds: number | null;
  /**
   * The head of the log when the channel was created. Earlier messages belong to a deleted channel of the same id and
   * are never replayed.
   */
  createdAfter: number;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /**
   * Distinguishes the channel from others that had, or will have, its id: everything else about them can be equal. Null: an earlier
   * version created the channel.
   */
  instance: string | null;
}

/**
 * Who began a membership: a backend, with its API key or with a credential that names the channel, or the token itself. A
 * channel that becomes PRIVATE keeps only members that a backend subscribed.
 */
export type MembershipOrigin = 'BACKEND' | 'TOKEN';

/** The durable subscription of a token to a channel. */
export interface Membership {
  projectId: string;
  channelId: string;
  tokenId: string;
  /** The head of the log when the membership began; messages up to this sequence are never replayed to the token. */
  beganAfter: number;
  madeBy: MembershipOrigin;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
}

/** A change that live connections must apply at once. */
export type ChannelChange =
  | { kind: 'CHANNEL_UPDATED'; projectId: string; channel: Channel }
  | { kind: 'CHANNEL_STATE_UPDATED'; projectId: string; channel: Channel }
  | { kind: 'CHANNEL_DELETED'; projectId: string; channelId: string }
  | { kind: 'MEMBERSHIP_BEGAN'; projectId: string; membership: Membership; channel: Channel }
  | {
      kind: 'MEMBERSHIP_ENDED';
      projectId: string;
      channelId: string;
      tokenId: string;
      /** NOT_ALLOWED: the channel became PRIVATE, and the token had subscribed itself. */
      reason: 'UNSUBSCRIBED' | 'NOT_ALLOWED';
    };

export function isChannelChange(signal: { kind: string }): signal is ChannelChange {
  return CHANGES.has(signal.kind);
}

const CHANGES: ReadonlySet<string> = new Set<ChannelChange['kind']>([
  'CHANNEL_UPDATED',
  'CHANNEL_STATE_UPDATED',
  'CHANNEL_DELETED',
  'MEMBERSHIP_BEGAN',
  'MEMBERSHIP_ENDED',
]);

/** Writes a change and announces it to every node. */
export type AnnounceChannel = Announce<ChannelChange>;

/** @throws UNAVAILABLE when the stored state is damaged, because null would pass for a valid state */
export function requireState({ id, state, isDamaged }: Pick<Channel, 'id' | 'state' | 'isDamaged'>): Json {
  if (!isDamaged) return state;
  throw new SignalboxError(
    'UNAVAILABLE',
    `The stored state of the channel “${id}” is damaged. Replace it with setChannelState, or restore a backup.`,
    { cause: new Error(`The state of the channel “${id}” is not JSON.`) },
  );
}
