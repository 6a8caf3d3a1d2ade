import { systemClock, type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
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
/** An answer of the database that takes longer says too little about its clock, in milliseconds. */
export const MAX_COMPARISON_MS = 100;
const END_OF_SESSIONS_INTERVAL_MS = 20;

/**
 * The largest difference between the clocks of the node and of the database, in milliseconds. By the clock of the node,
 * credentials expire and messages get their time.
 */
const MAX_CLOCK_OFFSET_MS = 5000;

/**
 * The registrations that last, the oldest first: SQL after the columns of a select. The first one is the node that sweeps for all. Two
 * nodes may sweep at the same time for a moment, which costs time only.
 */
export const LIVE_NODES =
  'FROM nodes WHERE NOT fenced AND lease_until > clock_timestamp() ORDER BY started_at, id';

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
  /**
   * The history of the database when the node was registered. It changes when a standby was promoted that may lack commits: what
   * was read before may never have happened.
   */
  readonly history: number;
  /**
   * Registers under a new id. Resolves to the number of the last signal. After a crash of the server it waits until every node
   * that was registered before it has noticed that: no change would wait for the confirmation of such a node.
   * @throws UNAVAILABLE at the first registration when the clock of the machine is wrong
   */
  register(): Promise<number>;
  /** An error message for the operator when the clock of this machine is wrong: `holds` is false then. Otherwise undefined. */
  clockProblem(): string | undefined;
  /** How much the clock of this machine is ahead of that of the database, in milliseconds: right to half of `MAX_COMPARISON_MS`. */
  clockOffset(): number;
  /** Whether a renewal is due. */
  isDue(): boolean;
  /** Renews the lease and notes the last applied signal. Resolves to false when the node was fenced, or its lease has ended. */
  renew(signalsThrough: number): Promise<boolean>;
  /** Notes that all signals were applied that were there at `sentAt`, on the clock of `performance.now`. */
  confirm(sentAt: number): void;
  /** Resolves to those of the nodes that have not applied all signals up to `sequence` yet. */
  findUnconfirmed(nodeIds: readonly string[], sequence: number): Promise<string[]>;
  /** Fences nodes: ends their sessions and resolves when no statement of theirs can take effect any more. */
  fence(nodeIds: readonly string[]): Promise<void>;
  /** Removes the registration, so that no change waits for a confirmation of this node. */
  remove(): Promise<void>;
}

/**
 * A session that waits for a synchronous standby has committed already. Its end would not undo that, but would show the commit to
 * all nodes before the standby has it, so that a failover could lose what was delivered. It is ended after its wait.
 */
const END_SESSIONS = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = ANY($1) AND wait_event IS DISTINCT FROM 'SyncRep'`;

export function createNodeRegistration({
  store,
  nodeId,
  leaseMs,
  version,
  keepsCommits = false,
  clock = systemClock,
}: {
  store: Pick<PostgresStore, 'controlRows' | 'connectAs'>;
  nodeId: string;
  leaseMs: number;
  version: string;
  /** Whether only standbys are promoted that have all commits. Default: they may lack some. */
  keepsCommits?: boolean;
  /** The clock that is compared with that of the database. Default: that of the machine. */
  clock?: Pick<Clock, 'now'>;
}): NodeRegistration {
  const { controlRows, connectAs } = store;
  const margin = Math.min(MAX_MARGIN_MS, leaseMs / 5);
  let count = 0;
  let id = nodeId;
  let history = 0;
  /** How much the clock of this machine is ahead of that of the database, in milliseconds: at least, and probably. */
  let clockOffset = 0;
  let probableOffset: number | undefined;
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

  /** @param sentAt when the database was asked, on the clock of `performance.now` */
  function compareClocks(sentAt: number, databaseTime: number): void {
    const offset = clock.now() - databaseTime;
    // The database read its clock at some moment of the time that the answer took.
    const took = performance.now() - sentAt;
    clockOffset = offset > 0 ? Math.max(0, offset - took) : offset;
    if (took <= MAX_COMPARISON_MS || probableOffset === undefined) probableOffset = offset - took / 2;
    // What a slow answer says for sure.
    else probableOffset = Math.min(Math.max(probableOffset, offset - took), offset);
  }

  function clockProblem(): string | undefined {
    if (Math.abs(clockOffset) <= MAX_CLOCK_OFFSET_MS) return undefined;
    const seconds = Math.round(Math.abs(clockOffset) / 1000);
    return `The clock of this machine is ${seconds} seconds ${clockOffset > 0 ? 'ahead of' : 'behind'} that of PostgreSQL. Correct it, for example with NTP: credentials expire by it.`;
  }

  async function registerInTurn(): Promise<{ sentAt: number; lastSignal: number }> {
    for (;;) {
      const sentAt = performance.now();
      const [row] = await controlRows<{
        last_signal: number;
        history: number;
        wait_ms: number;
        now_ms: number;
      }>('SELECT last_signal, history, wait_ms, now_ms FROM register_node_v3($1, $2, $3, $4, $5)', [
        id,
        version,
        leaseMs,
        FRESH_MS,
        keepsCommits,
      ]);
      history = row?.history ?? history;
      if (row) compareClocks(sentAt, row.now_ms);
      const waitMs = row?.wait_ms ?? 0;
      if (waitMs <= 0) return { sentAt, lastSignal: row?.last_signal ?? 0 };
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  return {
    nodeId,
    get id() {
      return id;
    },
    get history() {
      return history;
    },
    holds: () =>
      performance.now() < Math.min(leaseEnd, freshUntil) && Math.abs(clockOffset) <= MAX_CLOCK_OFFSET_MS,
    clockProblem,
    clockOffset: () => probableOffset ?? 0,
    async register() {
      freshUntil = leaseEnd = Number.NEGATIVE_INFINITY;
      const before = id;
      id = `${nodeId}.${++count}`;
      connectAs(id);
      const { sentAt, lastSignal } = await registerInTurn();
      const problem = clockProblem();
      if (problem !== undefined && count === 1) {
        await controlRows('SELECT remove_node_v1($1)', [id]);
        throw new SignalboxError('UNAVAILABLE', problem);
      }
      // A registration can wait for others.
      const askedAt = performance.now();
      const [asked] = await controlRows<{ now_ms: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms',
        [],
      );
      if (asked) compareClocks(askedAt, asked.now_ms);
      // The connections that survived stay in presence.
      await controlRows('SELECT move_presence_v1($1, $2)', [before, id]);
      extend(sentAt);
      // Nothing was read before the first registration, so nothing can be out of date.
      if (count === 1) freshUntil = sentAt + FRESH_MS;
      return lastSignal;
    },
    isDue: () => performance.now() >= renewedAt + leaseMs / RENEWALS_PER_LEASE,
    async renew(signalsThrough) {
      const sentAt = performance.now();
      const [renewed] = await controlRows<{ now_ms: number }>(
        `UPDATE nodes SET lease_until = clock_timestamp() + $2 * interval '1 millisecond', signals_through = $3
         WHERE id = $1 AND NOT fenced AND lease_until > clock_timestamp() AND server_run = pg_postmaster_start_time()
         RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms`,
        [id, leaseMs, signalsThrough],
      );
      if (!renewed) return false;
      extend(sentAt);
      compareClocks(sentAt, renewed.now_ms);
      return true;
    },
    confirm: (sentAt) => void (freshUntil = Math.max(freshUntil, sentAt + FRESH_MS)),
    async findUnconfirmed(nodeIds, sequence) {
      const found = await controlRows<{ id: string }>(
        `SELECT id FROM nodes WHERE id = ANY($1) AND signals_through < $2 AND NOT fenced AND lease_until > clock_timestamp()`,
        [nodeIds, sequence],
      );
      return found.map((row) => row.id);
    },
    async fence(nodeIds) {
      await controlRows('UPDATE nodes SET fenced = true WHERE id = ANY($1)', [nodeIds]);
      const names = nodeIds.map((node) => `signalbox:${node}`);
      // The session that listens has the name of the node. It reconnects if the node continues.
      const all = [...names, ...nodeIds.map((node) => `signalbox:${node.replace(/\.\d+$/, '')}`)];
      const deadline = performance.now() + END_OF_SESSIONS_MS;
      for (;;) {
        await controlRows(END_SESSIONS, [all]);
        if ((await countSessions(names)) === 0 || performance.now() >= deadline) return;
        await new Promise((resolve) => setTimeout(resolve, END_OF_SESSIONS_INTERVAL_MS));
      }
    },
    async remove() {
      freshUntil = leaseEnd = Number.NEGATIVE_INFINITY;
      await controlRows('SELECT remove_node_v1($1)', [id]);
    },
  };
}
