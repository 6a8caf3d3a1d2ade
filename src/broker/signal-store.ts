import { type PostgresStore, type Transaction } from '../store/store.ts';
import { LIVE_NODES } from './node-registration.ts';
import { type Signal } from './signal.ts';

/** A signal as the database keeps it. */
export interface StoredSignal {
  /** Counts the signals of the database, without holes. */
  sequence: number;
  /** The registration of the node that changed the rows. */
  node: string;
  signal: Signal;
}

/** The signals after a number. */
export interface SignalPage {
  /** The number of the last signal in the database. */
  head: number;
  signals: StoredSignal[];
  /** Whether the node that reads is registered, its lease lasts, and it was not fenced. */
  isRegistered: boolean;
}

/** Signals that were written, and the registrations of the nodes that must apply them. */
export interface WrittenSignals {
  /** The number of the last signal. */
  last: number;
  nodes: string[];
}

/** The largest number of signals that one read returns. */
export const SIGNALS_PER_PAGE = 200;

/** The largest number of signals that one statement removes. */
export const SIGNALS_PER_REMOVAL = 5000;

/** Reads and writes the signals of a PostgreSQL database. They are kept for an hour. */
export function createSignalStore({ controlRows, rows }: Pick<PostgresStore, 'controlRows' | 'rows'>) {
  return {
    /** Writes signals in the transaction of the rows that they announce. */
    async append(
      transaction: Transaction,
      node: string,
      signals: readonly Signal[],
    ): Promise<WrittenSignals> {
      const bodies = signals.map((signal) => JSON.stringify(signal));
      const [row] = await transaction.rows<{ last: number; live: string[] }>(
        'SELECT last, live FROM append_signals_v1($1, $2)',
        [node, bodies],
      );
      return { last: row?.last ?? 0, nodes: row?.live ?? [] };
    },
    /** Reads the signals after `sequence`, on behalf of the registration `node`. */
    async readAfter(sequence: number, node: string): Promise<SignalPage> {
      const found = await controlRows<{
        head: number;
        registered: boolean;
        sequence: number | null;
        node: string;
        body: string;
      }>(READ_AFTER, [sequence, SIGNALS_PER_PAGE, node]);
      return {
        head: found[0]?.head ?? 0,
        isRegistered: found[0]?.registered ?? false,
        signals: found.flatMap((row) =>
          row.sequence === null
            ? []
            : [{ sequence: row.sequence, node: row.node, signal: JSON.parse(row.body) as Signal }],
        ),
      };
    },
    /**
     * Removes up to `SIGNALS_PER_REMOVAL` expired signals if the registration `node` is the one that sweeps for all nodes. Uses the pool,
     * so that no renewal of a lease waits for it. Resolves to the number removed.
     */
    async removeExpired(node: string): Promise<number> {
      const [row] = await rows<{ count: number }>(REMOVE_EXPIRED, [node, SIGNALS_PER_REMOVAL]);
      return row?.count ?? 0;
    },
  };
}

/** `now()` does not change during a statement, unlike `clock_timestamp()`, so the index of the times can find the rows. */
const REMOVE_EXPIRED = `
WITH gone AS (
  DELETE FROM signals WHERE sequence = ANY (ARRAY(
    SELECT sequence FROM signals
    WHERE sent_at < now() - interval '1 hour' AND (SELECT id ${LIVE_NODES} LIMIT 1) = $1
    ORDER BY sent_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)
SELECT count(*) AS count FROM gone`;

/** One statement, so that all it returns is of one moment. */
const READ_AFTER = `
SELECT head, sequence, node, body,
  EXISTS (SELECT FROM nodes WHERE id = $3 AND NOT fenced AND lease_until > clock_timestamp()
    AND server_run = pg_postmaster_start_time()) AS registered
FROM signal_log
LEFT JOIN LATERAL (
  SELECT sequence, node, body FROM signals WHERE sequence > $1 AND sequence <= head ORDER BY sequence LIMIT $2
) AS later ON true
ORDER BY sequence`;
