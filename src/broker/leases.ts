import { type Json } from '../names.ts';

/** A live connection as others may see it. */
export interface Member {
  readonly connectionId: string;
  readonly nodeId: string;
  readonly projectId: string;
  /** Null for API keys and anonymous callers. */
  readonly tokenId: string | null;
  readonly identity: string | null;
  readonly connectionData: string | null;
  /** What the connection chooses to show. */
  readonly state: Json;
  readonly transport: 'WEBSOCKET' | 'SSE';
  readonly connectedAt: number;
}

/**
 * Which connections are here now, on any node. Each node holds one lease for all of its connections and renews
 * it; when a node dies, its connections are counted no longer than the rest of that lease.
 */
export interface Leases {
  /** Holds the lease of `nodeId` for `leaseMs` from now. */
  renew(nodeId: string, leaseMs: number): Promise<void>;
  /** From when this resolves, the connection counts as here. Joining again replaces what it shows. */
  join(member: Member): Promise<void>;
  /** Idempotent. From when this resolves, the connection does not count anywhere. */
  leave(projectId: string, connectionId: string): Promise<void>;
  enter(projectId: string, connectionId: string, channelId: string): Promise<void>;
  exit(projectId: string, connectionId: string, channelId: string): Promise<void>;
  /** The live connections of a token. */
  ofToken(projectId: string, tokenId: string): Promise<Member[]>;
  /** The connections in a channel by id, after `after`; at most `limit`. */
  ofChannel(
    projectId: string,
    channelId: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<Member[]>;
  isIn(projectId: string, connectionId: string, channelId: string): Promise<boolean>;
  countOfChannel(projectId: string, channelId: string): Promise<number>;
  find(projectId: string, connectionId: string): Promise<Member | undefined>;
  /** The ids of tokens that are online, sorted. */
  onlineTokens(projectId: string): Promise<string[]>;
  /** Forgets the connections of nodes whose lease is over and returns them, each with the channels it was in. */
  lapse(): Promise<{ member: Member; channelIds: string[] }[]>;
}
