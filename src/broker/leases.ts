import { type Json } from '../names.ts';

/** A live connection, as presence shows it to other callers. */
export interface Member {
  readonly connectionId: string;
  readonly nodeId: string;
  readonly projectId: string;
  /** Null for API keys and anonymous callers. */
  readonly tokenId: string | null;
  readonly identity: string | null;
  readonly connectionData: string | null;
  /** The presence state that the connection set for itself. */
  readonly state: Json;
  /** The ids of the channels that show the state: those in which the caller of the connection may PUBLISH. Default: none. */
  readonly stateChannels?: readonly string[];
  readonly transport: 'WEBSOCKET' | 'SSE';
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
}

/** Selects live connections. Absent fields select all. */
export interface ConnectionFilter {
  channelId?: string | undefined;
  tokenId?: string | undefined;
  identity?: string | undefined;
  transport?: Member['transport'] | undefined;
}

/**
 * The live connections of all nodes. Each node holds one lease for all of its connections and renews the lease
 * periodically. When a node crashes, its connections stay in presence until the lease expires.
 */
export interface Leases {
  /** Extends the lease of `nodeId` to `leaseMs` milliseconds from now. */
  renew(nodeId: string, leaseMs: number): Promise<void>;
  /**
   * Adds a connection, which is online once this resolves. Adding it again replaces the member and keeps its channels. Resolves
   * to the number of live connections of its token, on all nodes; 1 if it has none.
   * @param limit what the caller allows; near it, connections that other nodes add at the same moment are counted, too
   */
  addConnection(member: Member, limit?: number): Promise<number>;
  /** Removes a connection from presence and from all of its channels. Idempotent. */
  removeConnection(projectId: string, connectionId: string): Promise<void>;
  /** Adds a connection to a channel. Idempotent; does nothing for an unknown connection. */
  joinChannel(projectId: string, connectionId: string, channelId: string): Promise<void>;
  /** Removes a connection from a channel. Idempotent. */
  leaveChannel(projectId: string, connectionId: string, channelId: string): Promise<void>;
  /** The live connections of a token. */
  ofToken(projectId: string, tokenId: string): Promise<Member[]>;
  /** The live connections of all tokens of an identity. */
  ofIdentity(projectId: string, identity: string): Promise<Member[]>;
  /** A page of the live connections in a channel, sorted by connection id: at most `limit` members with an id above `after`. */
  ofChannel(
    projectId: string,
    channelId: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<Member[]>;
  /** Whether a live connection is in a channel. */
  isIn(projectId: string, connectionId: string, channelId: string): Promise<boolean>;
  /** The number of live connections in a channel. */
  countOfChannel(projectId: string, channelId: string): Promise<number>;
  /** A live connection, or undefined. */
  find(projectId: string, connectionId: string): Promise<Member | undefined>;
  /**
   * A page of the live connections of a project that match `filter`, sorted by connection id, each with the ids of its
   * channels: at most `limit` connections with an id above `after`.
   */
  list(
    projectId: string,
    filter: ConnectionFilter,
    page: { after?: string | undefined; limit: number },
  ): Promise<{ member: Member; channelIds: string[] }[]>;
  /** A page of the ids of tokens with a live connection, sorted: at most `limit` ids above `after`. */
  onlineTokens(projectId: string, page: { after?: string | undefined; limit: number }): Promise<string[]>;
  /** Those of the tokens that have a live connection. */
  onlineAmong(projectId: string, tokenIds: readonly string[]): Promise<Set<string>>;
  /** Removes the connections of nodes whose lease has expired, and returns them with the channels they were in. */
  lapse(): Promise<{ member: Member; channelIds: string[] }[]>;
}
