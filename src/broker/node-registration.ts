import { type PostgresStore } from '../store/store.ts';

/** A node is registered for the lease, renews it four times meanwhile, and stops this long before its end, in milliseconds. */
const RENEWALS_PER_LEASE = 4;
const MAX_MARGIN_MS = 1000;
/**
 * How long after its last look for signals a node may deliver, in milliseconds. It is shorter than `FENCE_AFTER_MS`: a node that
 * was paused must look before its first delivery, and then finds that it was fenced.
 */
export const FRESH_MS = 1500;
/** How long a change waits for a node to confirm its signal before the node is fenced, in milliseconds. */
export const FENCE_AFTER_MS = 2000;
/** The longest wait for the end of the sessions of a fenced node, in milliseconds. */
const END_OF_SESSIONS_MS = 2000;
const END_OF_SESSIONS_INTERVAL_MS = 20;

/** The registration of this node among the nodes of the database, and what it may do by virtue of it. */
export interface NodeRegistration {
  /** The id of this process. */
  readonly nodeId: string;
  /** `<node>.<count>`: another one after each registration, so that nothing that was begun under an older one counts. */
  readonly id: string;
  /**
   * Whether the node may deliver messages and accept changes: its lease lasts, and it has applied all signals of a moment ago.
   * It reads a clock only; ask it before each delivery.
   */
  holds(): boolean;
  /** Registers under a new id. Resolves to the number of the last signal. */
  register(): Promise<number>;
  /** Whether a renewal is due. */
  isDue(): boolean;
  /** Renews the lease and notes the last applied signal. Resolves to false when the node was fenced, or its lease has ended. */
  renew(signalsThrough: number): Promise<boolean>;
  /** Notes that all signals were applied that were there at `sentAt`, on the clock of `performance.now`. */
  confirm(sentAt: number): void;
  /** Whether the nodes still have to apply signals up to `sequence`; resolves to those that have to. */
  behind(nodeIds: readonly string[], sequence: number): Promise<string[]>;
  /** Fences nodes: ends their sessions and resolves when no statement of theirs can take effect any more. */
  fence(nodeIds: readonly string[]): Promise<void>;
  /** Removes the registration, so that no change waits for a confirmation of this node. */
  remove(): Promise<void>;
}

export function createNodeRegistration({
  store,
  nodeId,
  leaseMs,
  version,
}: {
  store: Pick<PostgresStore, 'controlRows' | 'connectAs'>;
  nodeId: string;
  leaseMs: number;
  version: string;
}): NodeRegistration {
  const { controlRows, connectAs } = store;
  const margin = Math.min(MAX_MARGIN_MS, leaseMs / 5);
  let count = 0;
  let id = nodeId;
  /** On the clock of `performance.now`. The lease is counted from the moment at which the renewal was sent. */
  let leaseEnd = Number.NEGATIVE_INFINITY;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let freshUntil = Number.NEGATIVE_INFINITY;

  function extend(sentAt: number): void {
    renewedAt = sentAt;
    leaseEnd = sentAt + leaseMs - margin;
  }

  async function countSessions(names: readonly string[]): Promise<number> {
    const [row] = await controlRows<{ count: number }>(
      'SELECT count(*) AS count FROM pg_stat_activity WHERE application_name = ANY($1)',
      [names],
    );
    return row?.count ?? 0;
  }

  return {
    nodeId,
    get id() {
      return id;
    },
    holds: () => performance.now() < Math.min(leaseEnd, freshUntil),
    async register() {
      freshUntil = leaseEnd = Number.NEGATIVE_INFINITY;
      const before = id;
      id = `${nodeId}.${++count}`;
      connectAs(id);
      const sentAt = performance.now();
      const [row] = await controlRows<{ head: number }>('SELECT register_node_v1($1, $2, $3) AS head', [
        id,
        version,
        leaseMs,
      ]);
      // The connections that survived stay in presence.
      await controlRows('SELECT move_presence_v1($1, $2)', [before, id]);
      extend(sentAt);
      // Nothing was read before the first registration, so nothing can be out of date.
      if (count === 1) freshUntil = sentAt + FRESH_MS;
      return row?.head ?? 0;
    },
    isDue: () => performance.now() >= renewedAt + leaseMs / RENEWALS_PER_LEASE,
    async renew(signalsThrough) {
      const sentAt = performance.now();
      const renewed = await controlRows(
        `UPDATE nodes SET lease_until = clock_timestamp() + $2 * interval '1 millisecond', signals_through = $3
         WHERE id = $1 AND NOT fenced AND lease_until > clock_timestamp() RETURNING id`,
        [id, leaseMs, signalsThrough],
      );
      if (renewed.length > 0) extend(sentAt);
      return renewed.length > 0;
    },
    confirm: (sentAt) => void (freshUntil = Math.max(freshUntil, sentAt + FRESH_MS)),
    async behind(nodeIds, sequence) {
      const found = await controlRows<{ id: string }>(
        `SELECT id FROM nodes WHERE id = ANY($1) AND signals_through < $2 AND NOT fenced AND lease_until > clock_timestamp()`,
        [nodeIds, sequence],
      );
      return found.map((row) => row.id);
    },
    async fence(nodeIds) {
      await controlRows('UPDATE nodes SET fenced = true WHERE id = ANY($1)', [nodeIds]);
      const names = nodeIds.map((node) => `signalbox:${node}`);
      // The session that listens has the name of the node. It reconnects if the node goes on.
      const all = [...names, ...nodeIds.map((node) => `signalbox:${node.replace(/\.\d+$/, '')}`)];
      await controlRows(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY($1)',
        [all],
      );
      const deadline = performance.now() + END_OF_SESSIONS_MS;
      while ((await countSessions(names)) > 0 && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, END_OF_SESSIONS_INTERVAL_MS));
    },
    async remove() {
      freshUntil = leaseEnd = Number.NEGATIVE_INFINITY;
      await controlRows('SELECT remove_node_v1($1)', [id]);
    },
  };
}
