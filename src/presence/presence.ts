import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { type LeaveReason, type PresenceChange } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { LEAVE_REASONS, type Connection } from '../connections/connection.ts';
import { parseJson } from '../names.ts';
import { type RateLimit } from '../rate-limit.ts';
import { requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';

/** Who is here now. */
export interface Presence extends AsyncDisposable {
  /** Whether the token has a live connection. By an API key, or by the token itself. @throws FORBIDDEN, UNAUTHENTICATED */
  isOnline(caller: Caller, tokenId: string): Promise<boolean>;
  connectionsOf(caller: Caller, tokenId: string): Promise<Member[]>;
  /** The ids of tokens that are online, sorted. By an API key. @throws FORBIDDEN, UNAUTHENTICATED */
  onlineTokens(caller: Caller): Promise<string[]>;
  /** @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may see who is in the channel. */
  count(caller: Caller, channelId: string): Promise<number>;
  members(
    caller: Caller,
    channelId: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<Member[]>;
  /** The connection hears the channel once more: the first time it is seen there. API keys are never seen. */
  enter(connection: Connection, channelId: string): void;
  /** …once less: the last time it is no longer seen there. */
  exit(connection: Connection, channelId: string, reason: LeaveReason): void;
  /** Sets what the connection shows to others; counts as a publish. @throws RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT */
  show(connection: Connection, state: unknown): Promise<Member>;
}

/** Renewals per lease, so that one that is late does not make a living node look dead. */
const RENEWALS_PER_LEASE = 3;

export async function createPresence(parts: {
  broker: Broker;
  access: Access;
  clock: Clock;
  config: Config;
  nodeId: string;
  /** Of what tokens say; connections without one are counted each by itself. */
  rate: RateLimit;
  onFault: (error: unknown) => void;
}): Promise<Presence> {
  const { broker, access, clock, config, nodeId, rate, onFault } = parts;
  const { leases } = broker;
  const entered = new WeakMap<Connection, Map<string, number>>();
  const turns = createKeyedMutex();

  function serialize(connection: Connection, work: () => Promise<unknown>): void {
    turns(connection.id, work).catch(onFault);
  }

  async function announce(
    change: PresenceChange['change'],
    member: Member,
    channelId: string,
    reason: LeaveReason | null,
  ) {
    const { projectId } = member;
    const at = clock.now();
    await broker.control({
      kind: 'PRESENCE_CHANGED',
      projectId,
      change: { change, projectId, channelId, member, reason, at },
    });
  }

  /** What others see of the connection has changed. */
  async function refresh(connection: Connection): Promise<Member> {
    const member = connection.asMember();
    // It may have ended while it waited for its turn: whoever has left does not come back.
    if (connection.closed !== undefined) return member;
    await leases.join(member);
    for (const channelId of entered.get(connection)?.keys() ?? [])
      await announce('UPDATED', member, channelId, null);
    return member;
  }

  function placesOf(connection: Connection): Map<string, number> {
    const known = entered.get(connection);
    if (known) return known;
    const places = new Map<string, number>();
    entered.set(connection, places);
    let data = connection.asMember().connectionData;
    connection.onNotice((notice) => {
      const now = connection.asMember().connectionData;
      if (notice.kind !== 'TOKEN_UPDATED' || now === data) return;
      data = now;
      serialize(connection, () => refresh(connection));
    });
    return places;
  }

  async function sweep(): Promise<void> {
    await leases.renew(nodeId, config.leaseMs);
    for (const { member, channelIds } of await leases.lapse()) {
      for (const channelId of channelIds) await announce('LEFT', member, channelId, 'LEASE_LAPSED');
    }
  }

  await leases.renew(nodeId, config.leaseMs);
  const sweeping = every(clock, config.leaseMs / RENEWALS_PER_LEASE, () => void sweep().catch(onFault));

  async function connectionsOf(caller: Caller, tokenId: string): Promise<Member[]> {
    requireKeyOrSelf(caller, tokenId);
    return leases.ofToken(caller.projectId, tokenId);
  }

  return {
    isOnline: async (caller, tokenId) => (await connectionsOf(caller, tokenId)).length > 0,
    connectionsOf,
    async onlineTokens(caller) {
      requireApiKey(caller);
      return leases.onlineTokens(caller.projectId);
    },
    async count(caller, channelId) {
      await access.require(caller, 'PRESENCE', channelId);
      return leases.countOfChannel(caller.projectId, channelId);
    },
    async members(caller, channelId, page) {
      await access.require(caller, 'PRESENCE', channelId);
      return leases.ofChannel(caller.projectId, channelId, page);
    },
    enter(connection, channelId) {
      if (connection.caller.kind === 'API_KEY') return;
      const places = placesOf(connection);
      const times = places.get(channelId) ?? 0;
      places.set(channelId, times + 1);
      if (times > 0) return;
      serialize(connection, async () => {
        await leases.enter(connection.projectId, connection.id, channelId);
        await announce('JOINED', connection.asMember(), channelId, null);
      });
    },
    exit(connection, channelId, reason) {
      const places = entered.get(connection);
      const times = places?.get(channelId);
      if (!places || times === undefined) return;
      if (times > 1) {
        places.set(channelId, times - 1);
        return;
      }
      places.delete(channelId);
      const why = connection.closed === undefined ? reason : LEAVE_REASONS[connection.closed];
      serialize(connection, async () => {
        await leases.exit(connection.projectId, connection.id, channelId);
        await announce('LEFT', connection.asMember(), channelId, why);
      });
    },
    async show(connection, state) {
      rate.take(connection.caller.kind === 'TOKEN' ? connection.caller.token.id : connection.id);
      connection.presenceState = parseJson(state, config.maxPresenceBytes, 'state');
      return turns(connection.id, () => refresh(connection));
    },
    async [Symbol.asyncDispose]() {
      sweeping[Symbol.dispose]();
    },
  };
}
