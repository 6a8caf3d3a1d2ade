import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { type LeaveReason, type PresenceChange } from '../broker/signal.ts';
import { firstIds } from '../broker/sorted-ids.ts';
import { type Access } from '../channels/access.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { LEAVE_REASONS } from '../connections/close-reason.ts';
import { type Connection, type NoticeReceiver } from '../connections/connection.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { type RateLimit } from '../rate-limit.ts';
import { requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { Slices } from '../slices.ts';
import { UseCounts } from '../use-counts.ts';
import { asShownIn, createPresenceStates } from './presence-states.ts';

/** Which connections are online, and in which channels. */
export interface Presence extends AsyncDisposable {
  /** Whether the token has a live connection. For API keys and the token itself. @throws FORBIDDEN, UNAUTHENTICATED */
  isOnline(caller: Caller, tokenId: string): Promise<boolean>;
  /** Whether any token of the identity has a live connection. The caller must have checked that it may know. */
  isIdentityOnline(projectId: string, identity: string): Promise<boolean>;
  /** The live connections of the token. For API keys and the token itself. @throws FORBIDDEN, UNAUTHENTICATED */
  connectionsOf(caller: Caller, tokenId: string): Promise<Member[]>;
  /**
   * A page of the ids of the tokens that are online, sorted: at most `limit` ids above `after`. For API keys.
   * @throws FORBIDDEN, UNAUTHENTICATED
   */
  onlineTokens(
    caller: Caller,
    filter: { identity?: string | undefined },
    page: { after?: string | undefined; limit: number },
  ): Promise<string[]>;
  /** Those of the tokens that are online. For API keys. @throws FORBIDDEN, UNAUTHENTICATED */
  onlineAmong(caller: Caller, tokenIds: readonly string[]): Promise<Set<string>>;
  /**
   * Counts the connections in the channel.
   * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller has the PRESENCE action in the channel
   */
  count(caller: Caller, channelId: string): Promise<number>;
  /** The connections in the channel, sorted by connection id. @throws as `count` */
  members(
    caller: Caller,
    channelId: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<Member[]>;
  /**
   * Call before a subscription of the connection is opened. Everyone in a channel sees who joins and leaves it, so a
   * connection that has left channels joins at a limited rate. Its first joins are not limited, because a client joins all
   * its channels when it connects.
   * @throws RATE_LIMITED
   */
  requireMayJoin(connection: Connection): void;
  /**
   * Adds a subscription of the connection to the channel. The first one makes the connection a member and announces
   * JOINED. API keys never become members.
   */
  joinChannel(connection: Connection, channelId: string): void;
  /**
   * Removes a subscription of the connection to the channel. The last one ends its presence there and announces LEFT.
   * @param reason announced if the connection is still open; otherwise its close reason is announced
   */
  leaveChannel(connection: Connection, channelId: string, reason: LeaveReason): void;
  /**
   * Sets the presence state of the connection. A state is shown to others, so it counts as a publish, and a channel shows
   * it only while the caller may PUBLISH there; elsewhere the state of the connection is null. Null is always allowed.
   * @throws FORBIDDEN, UNAUTHENTICATED when the connection is in channels and may PUBLISH in none of them
   * @throws RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT
   */
  setState(connection: Connection, state: unknown): Promise<Member>;
}

/** Renewals per lease, so that a live node stays in presence when one renewal is late. */
const RENEWALS_PER_LEASE = 3;

export async function createPresence(deps: {
  broker: Broker;
  access: Access;
  clock: Clock;
  config: Config;
  nodeId: string;
  /** The limit on publishes per token. A connection without a token has a limit of its own. */
  rateLimit: RateLimit;
  /** The limit on joins by a token, or by a connection without one, after it left a channel. */
  rejoinRate: RateLimit;
  onFault: (error: unknown) => void;
}): Promise<Presence> {
  const { broker, access, clock, config, nodeId, rateLimit, rejoinRate, onFault } = deps;
  const { leases } = broker;
  /** For each channel that a connection is in, the number of its subscriptions there. */
  const subscriptionCounts = new UseCounts<Connection>({
    get: ({ channelUses }) => channelUses,
    set: (connection, uses) => (connection.channelUses = uses),
    delete: (connection) => (connection.channelUses = undefined),
  });
  /** Orders the changes of one connection, so that a slow JOINED never follows its LEFT. */
  const serialize = createKeyedMutex();

  /** The channels of the next join of a connection that waits in its queue. What leaves a channel ends the list. */
  const waitingJoins = new Map<Connection, string[]>();

  function enqueue(connection: Connection, work: () => Promise<unknown>): void {
    serialize(connection.id, work).catch(onFault);
  }

  async function announce(
    change: PresenceChange['change'],
    member: Member,
    channelId: string,
    reason: LeaveReason | null,
  ) {
    const { projectId } = member;
    const at = clock.now();
    // The other channels are for this node to know. There can be many, and each announcement would carry them to all nodes.
    const { stateChannels: _, ...shown } = asShownIn(channelId, member);
    await broker.control({
      kind: 'PRESENCE_CHANGED',
      projectId,
      change: { change, projectId, channelId, member: shown, reason, at },
    });
  }

  const channelsOf = (connection: Connection) => subscriptionCounts.keys(connection);

  /** A connection that closed while its change was queued or looked up stays offline: its lease has been removed. */
  async function addIfOpen(connection: Connection, member = connection.asMember()): Promise<boolean> {
    if (connection.closed !== undefined) return false;
    await leases.addConnection(member);
    return true;
  }

  /** Announces UPDATED in the channels of the connection that `isAffected` selects. */
  async function announceUpdate(
    connection: Connection,
    isAffected: (channelId: string) => boolean,
  ): Promise<Member> {
    const member = connection.asMember();
    if (!(await addIfOpen(connection, member))) return member;
    const slices = new Slices();
    for (const channelId of channelsOf(connection)) {
      if (isAffected(channelId)) await announce('UPDATED', member, channelId, null);
      if (slices.shouldYield()) await slices.nextTurn();
    }
    return member;
  }

  /** A client joins all its channels at once: they are looked up and stored together. */
  async function join(connection: Connection, channelIds: readonly string[]): Promise<void> {
    const { projectId, id } = connection;
    if (connection.presenceState !== null && connection.closed === undefined) {
      await states.showIn(connection, channelIds);
      await addIfOpen(connection);
    }
    await Promise.all(channelIds.map((channelId) => leases.joinChannel(projectId, id, channelId)));
    const slices = new Slices();
    for (const channelId of channelIds) {
      await announce('JOINED', connection.asMember(), channelId, null).catch(onFault);
      if (slices.shouldYield()) await slices.nextTurn();
    }
  }

  const states = createPresenceStates({
    broker,
    access,
    maxBytes: config.maxPresenceBytes,
    channelsOf,
    isIn: (connection, channelId) => subscriptionCounts.has(connection, channelId),
    announceUpdate,
    serialize,
    onFault,
  });

  /** Announces changed connection data. One object for all connections. */
  const dataChanges: NoticeReceiver = {
    onNotice(notice, connection) {
      const { connectionData } = connection.asMember();
      if (notice.kind !== 'TOKEN_UPDATED' || connectionData === connection.announcedData) return;
      connection.announcedData = connectionData;
      enqueue(connection, () => announceUpdate(connection, () => true));
    },
  };

  function followData(connection: Connection): void {
    if (connection.announcedData !== undefined) return;
    connection.announcedData = connection.asMember().connectionData;
    connection.onNotice(dataChanges);
  }

  /** Renews the lease of this node, and announces LEFT for the connections of nodes whose lease has expired. */
  async function renewAndSweep(): Promise<void> {
    await leases.renew(nodeId, config.leaseMs);
    for (const { member, channelIds } of await leases.lapse()) {
      for (const channelId of channelIds) await announce('LEFT', member, channelId, 'LEASE_LAPSED');
    }
  }

  await leases.renew(nodeId, config.leaseMs);
  const renewals = every(
    clock,
    config.leaseMs / RENEWALS_PER_LEASE,
    () => void renewAndSweep().catch(onFault),
  );

  async function connectionsOf(caller: Caller, tokenId: string): Promise<Member[]> {
    requireKeyOrSelf(caller, tokenId, 'READ');
    return leases.ofToken(caller.projectId, tokenId);
  }

  return {
    isOnline: async (caller, tokenId) => (await connectionsOf(caller, tokenId)).length > 0,
    isIdentityOnline: async (projectId, identity) =>
      (await leases.ofIdentity(projectId, identity)).length > 0,
    connectionsOf,
    async onlineTokens(caller, { identity }, page) {
      requireApiKey(caller, 'READ');
      if (identity === undefined) return leases.onlineTokens(caller.projectId, page);
      const members = await leases.ofIdentity(caller.projectId, identity);
      return firstIds(
        members.flatMap(({ tokenId }) => tokenId ?? []),
        page,
      );
    },
    async onlineAmong(caller, tokenIds) {
      requireApiKey(caller, 'READ');
      return leases.onlineAmong(caller.projectId, tokenIds);
    },
    async count(caller, channelId) {
      await access.require(caller, 'PRESENCE', channelId);
      return leases.countOfChannel(caller.projectId, channelId);
    },
    async members(caller, channelId, page) {
      await access.require(caller, 'PRESENCE', channelId);
      const members = await leases.ofChannel(caller.projectId, channelId, page);
      return members.map((member) => asShownIn(channelId, member));
    },
    requireMayJoin(connection) {
      const { leaveCount } = connection;
      if (leaveCount === 0) return;
      rejoinRate.take(ownerOf(connection), leaveCount);
      connection.leaveCount = 0;
    },
    joinChannel(connection, channelId) {
      if (connection.caller.kind === 'API_KEY') return;
      followData(connection);
      const isMember = subscriptionCounts.has(connection, channelId);
      subscriptionCounts.add(connection, channelId);
      if (isMember) return;
      const waiting = waitingJoins.get(connection);
      if (waiting) return void waiting.push(channelId);
      const channelIds = [channelId];
      waitingJoins.set(connection, channelIds);
      enqueue(connection, () => {
        if (waitingJoins.get(connection) === channelIds) waitingJoins.delete(connection);
        return join(connection, channelIds);
      });
    },
    leaveChannel(connection, channelId, reason) {
      if (!subscriptionCounts.has(connection, channelId)) return;
      subscriptionCounts.remove(connection, channelId);
      if (subscriptionCounts.has(connection, channelId)) return;
      connection.leaveCount++;
      waitingJoins.delete(connection);
      const leaveReason = connection.closed === undefined ? reason : LEAVE_REASONS[connection.closed];
      enqueue(connection, async () => {
        await leases.leaveChannel(connection.projectId, connection.id, channelId);
        await announce('LEFT', connection.asMember(), channelId, leaveReason);
      });
    },
    async setState(connection, state) {
      rateLimit.take(ownerOf(connection));
      return states.set(connection, state);
    },
    async [Symbol.asyncDispose]() {
      renewals[Symbol.dispose]();
      states[Symbol.dispose]();
    },
  };
}

/** The token of a connection, or the connection itself if it has none. */
function ownerOf({ id, caller }: Connection): string {
  return caller.kind === 'TOKEN' ? caller.token.id : id;
}
