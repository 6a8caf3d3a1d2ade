import { type PostgresStore } from '../store/store.ts';
import { type ConnectionFilter, type Leases, type Member } from './leases.ts';
import { PresenceChanges, type PresentConnection } from './presence-changes.ts';

/** Time between two comparisons of the rows with the connections of this node, in milliseconds. */
const RECONCILE_INTERVAL_MS = 30_000;
const RETRY_INTERVAL_MS = 1000;
/**
 * Nodes that are expected at least. Each writes one statement at a time, so that many can add connections of one token without
 * seeing each other.
 */
const MIN_NODES = 8;
/** Connections that one statement writes again. */
const CONNECTIONS_PER_STEP = 500;

/** The outcome of a statement. */
interface Written {
  /** The number of live nodes. */
  nodes: number;
  /** For each connection that was added, the number of connections of its token. */
  connectionsOf: ReadonlyMap<string, number>;
}

/** The leases of a cluster, and the comparison that keeps the rows of this node correct. */
export interface PostgresLeases extends Leases, AsyncDisposable {
  /** Compares the rows with the connections of this node, and writes them again if they differ. */
  reconcile(): Promise<void>;
}

/**
 * See Leases. Keeps the connections of all nodes in PostgreSQL; whether a node is there is decided by its registration, on the clock of
 * the database. Changes of one turn of the event loop are one statement. The tables are empty after a crash of the server, so
 * every node knows its own connections and writes them again.
 * @param nodeOf the registration of this node at this moment
 */
export function createPostgresLeases({
  store,
  nodeOf,
  onFault,
}: {
  store: Pick<PostgresStore, 'rows'>;
  nodeOf: () => string;
  onFault: (error: unknown) => void;
}): PostgresLeases {
  const { rows } = store;
  const own = new Map<string, PresentConnection>();
  let changes = new PresenceChanges();
  let writing: Promise<Written> | undefined;
  /** Writes follow one another, so that a later one never overtakes an earlier one. */
  let last: Promise<unknown> = Promise.resolve();
  let isWrong = false;

  async function write(batch: PresenceChanges, node: string): Promise<Written> {
    const found = await rows<{ connection: string; connections: number; nodes: number }>(WRITE, [
      node,
      ...batch.toParameters(),
    ]);
    return {
      nodes: found[0]?.nodes ?? 1,
      connectionsOf: new Map(found.map(({ connection, connections }) => [connection, connections])),
    };
  }

  /** Writes the changes at the end of the turn, together with those that are still to come in it. */
  function flush(): Promise<Written> {
    writing ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => last.catch(() => undefined))
      .then(() => {
        const batch = changes;
        changes = new PresenceChanges();
        writing = undefined;
        const written = write(batch, nodeOf());
        last = written;
        return written;
      })
      .catch((error: unknown) => {
        isWrong = true;
        throw error;
      });
    return writing;
  }

  async function reconcile(): Promise<void> {
    const written = last.catch(() => undefined).then(() => rewrite());
    last = written;
    await written;
  }

  async function rewrite(): Promise<void> {
    const node = nodeOf();
    const [counted] = await rows<{ connections: number; channels: number }>(COUNT_OWN, [node]);
    const channels = [...own.values()].reduce((sum, { channelIds }) => sum + channelIds.size, 0);
    if (!isWrong && counted?.connections === own.size && counted.channels === channels) return;
    isWrong = false;
    try {
      await rows(REMOVE_OTHERS, [node, [...own.keys()]]);
      const all = [...own.values()];
      for (let from = 0; from < all.length; from += CONNECTIONS_PER_STEP) {
        const batch = new PresenceChanges();
        for (const { member, channelIds } of all.slice(from, from + CONNECTIONS_PER_STEP)) {
          // A connection that was removed meanwhile must not be written again.
          if (!own.has(member.connectionId)) continue;
          batch.removeConnection(member.projectId, member.connectionId);
          batch.addConnection(member);
          for (const channelId of channelIds)
            batch.joinChannel(member.projectId, member.connectionId, channelId);
        }
        await write(batch, node);
      }
    } catch (error) {
      isWrong = true;
      throw error;
    }
  }

  const timers = [
    setInterval(() => void reconcile().catch(onFault), RECONCILE_INTERVAL_MS).unref(),
    setInterval(() => void (isWrong && reconcile().catch(() => undefined)), RETRY_INTERVAL_MS).unref(),
  ];

  const ownOf = (projectId: string, connectionId: string) => {
    const found = own.get(connectionId);
    return found?.member.projectId === projectId ? found : undefined;
  };

  async function select(projectId: string, condition: string, params: readonly unknown[]): Promise<Member[]> {
    const found = await rows<{ member: string }>(`SELECT member FROM ${LIVE} WHERE ${condition}`, [
      projectId,
      ...params,
    ]);
    return found.map(({ member }) => JSON.parse(member) as Member);
  }

  return {
    reconcile,
    // The registration of the node is its lease.
    renew: async () => undefined,
    async addConnection(member, limit = Number.POSITIVE_INFINITY) {
      own.set(member.connectionId, {
        member,
        channelIds: own.get(member.connectionId)?.channelIds ?? new Set(),
      });
      changes.addConnection(member);
      const { connectionsOf, nodes } = await flush();
      const connections = connectionsOf.get(member.connectionId) ?? 1;
      if (connections > limit || connections * Math.max(MIN_NODES, nodes) <= limit) return connections;
      // Two transactions do not see each other's rows. Both are committed when the later one of them counts again.
      const [row] = await rows<{ count: number }>(
        `SELECT count(*) AS count FROM ${LIVE} WHERE project_id = $1 AND token_id = $2`,
        [member.projectId, member.tokenId],
      );
      return row?.count ?? connections;
    },
    async removeConnection(projectId, connectionId) {
      if (!ownOf(projectId, connectionId)) return;
      own.delete(connectionId);
      changes.removeConnection(projectId, connectionId);
      await flush();
    },
    async joinChannel(projectId, connectionId, channelId) {
      const found = ownOf(projectId, connectionId);
      if (!found) return;
      found.channelIds.add(channelId);
      changes.joinChannel(projectId, connectionId, channelId);
      await flush();
    },
    async leaveChannel(projectId, connectionId, channelId) {
      const found = ownOf(projectId, connectionId);
      if (!found) return;
      found.channelIds.delete(channelId);
      changes.leaveChannel(projectId, connectionId, channelId);
      await flush();
    },
    ofToken: (projectId, tokenId) =>
      select(projectId, 'project_id = $1 AND token_id = $2 ORDER BY connection_id', [tokenId]),
    ofIdentity: (projectId, identity) =>
      select(projectId, 'project_id = $1 AND identity = $2 ORDER BY connection_id', [identity]),
    ofChannel: (projectId, channelId, { after = '', limit }) =>
      select(
        projectId,
        `project_id = $1 AND connection_id > $3 AND ${IS_IN_CHANNEL} ORDER BY connection_id LIMIT $4`,
        [channelId, after, limit],
      ),
    isIn: async (projectId, connectionId, channelId) =>
      (
        await select(projectId, `project_id = $1 AND connection_id = $3 AND ${IS_IN_CHANNEL}`, [
          channelId,
          connectionId,
        ])
      ).length > 0,
    async countOfChannel(projectId, channelId) {
      const [row] = await rows<{ count: number }>(
        `SELECT count(*) AS count FROM ${LIVE} WHERE project_id = $1 AND ${IS_IN_CHANNEL}`,
        [projectId, channelId],
      );
      return row?.count ?? 0;
    },
    async find(projectId, connectionId) {
      const [member] = await select(projectId, 'project_id = $1 AND connection_id = $2', [connectionId]);
      return member;
    },
    async list(projectId, filter: ConnectionFilter, { after = '', limit }) {
      const { channelId = null, tokenId = null, identity = null, transport = null } = filter;
      const found = await rows<{ member: string; channels: string }>(LIST, [
        projectId,
        after,
        limit,
        channelId,
        tokenId,
        identity,
        transport,
      ]);
      return found.map(({ member, channels }) => ({
        member: JSON.parse(member) as Member,
        channelIds: JSON.parse(channels) as string[],
      }));
    },
    async onlineTokens(projectId, { after = '', limit }) {
      const found = await rows<{ id: string }>(
        `SELECT DISTINCT token_id AS id FROM ${LIVE} WHERE project_id = $1 AND token_id > $2 ORDER BY id LIMIT $3`,
        [projectId, after, limit],
      );
      return found.map(({ id }) => id);
    },
    async onlineAmong(projectId, tokenIds) {
      const found = await rows<{ id: string }>(
        `SELECT DISTINCT token_id AS id FROM ${LIVE} WHERE project_id = $1 AND token_id = ANY ($2)`,
        [projectId, tokenIds],
      );
      return new Set(found.map(({ id }) => id));
    },
    async lapse() {
      const found = await rows<{ member: string; channels: string }>(
        'SELECT lapsed_member AS member, lapsed_channels AS channels FROM lapse_nodes_v1()',
        [],
      );
      return found.map(({ member, channels }) => ({
        member: JSON.parse(member) as Member,
        channelIds: JSON.parse(channels) as string[],
      }));
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      await last.catch(() => undefined);
    },
  };
}

/** The connections of the nodes whose lease lasts. */
const LIVE = `(
  SELECT present.* FROM present JOIN nodes ON nodes.id = present.node AND nodes.lease_until > clock_timestamp()
) AS live`;

const IS_IN_CHANNEL = `EXISTS (
  SELECT FROM entered WHERE entered.project_id = live.project_id AND entered.channel_id = $2
    AND entered.connection_id = live.connection_id)`;

const LIST = `
SELECT member, (
  SELECT coalesce(json_agg(channel_id ORDER BY channel_id), '[]') FROM entered
  WHERE entered.project_id = live.project_id AND entered.connection_id = live.connection_id) AS channels
FROM ${LIVE}
WHERE project_id = $1 AND connection_id > $2
  AND ($4::text IS NULL OR EXISTS (
    SELECT FROM entered WHERE entered.project_id = live.project_id AND entered.channel_id = $4
      AND entered.connection_id = live.connection_id))
  AND ($5::text IS NULL OR token_id = $5) AND ($6::text IS NULL OR identity = $6)
  AND ($7::text IS NULL OR transport = $7)
ORDER BY connection_id LIMIT $3`;

const WRITE = `
SELECT connection, connections_of_token AS connections,
  (SELECT count(*) FROM nodes WHERE lease_until > clock_timestamp()) AS nodes
FROM write_presence_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;

const COUNT_OWN = `
SELECT count(*) AS connections, coalesce(sum((
  SELECT count(*) FROM entered
  WHERE entered.project_id = present.project_id AND entered.connection_id = present.connection_id)), 0)::bigint AS channels
FROM present WHERE node = $1`;

/** Removes the rows of connections that the node no longer has. */
const REMOVE_OTHERS = `
WITH gone AS (
  DELETE FROM present WHERE node = $1 AND connection_id <> ALL ($2) RETURNING project_id, connection_id
)
DELETE FROM entered USING gone
WHERE entered.project_id = gone.project_id AND entered.connection_id = gone.connection_id`;
