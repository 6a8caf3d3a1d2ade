import { type PostgresStore, type Transaction } from '../store/store.ts';
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
}

/** The largest number of signals that one read returns. */
export const SIGNALS_PER_PAGE = 200;

/** Reads and writes the signals of a PostgreSQL database. They are kept for an hour. */
export function createSignalStore({ rows }: PostgresStore) {
  return {
    /** Writes signals in the transaction of the rows that they tell of. Returns the number of the last one. */
    async append(transaction: Transaction, nodeId: string, signals: readonly Signal[]): Promise<number> {
      const bodies = signals.map((signal) => JSON.stringify(signal));
      const [row] = await transaction.rows<{ last: number }>('SELECT last FROM append_signals_v1($1, $2)', [
        nodeId,
        bodies,
      ]);
      return row?.last ?? 0;
    },
    async head(): Promise<number> {
      const [row] = await rows<{ head: number }>('SELECT head FROM signal_log', []);
      return row?.head ?? 0;
    },
    async readAfter(sequence: number): Promise<SignalPage> {
      const found = await rows<{
        head: number;
        sequence: number | null;
        node: string;
        body: string;
      }>(READ_AFTER, [sequence, SIGNALS_PER_PAGE]);
      return {
        head: found[0]?.head ?? 0,
        signals: found.flatMap((row) =>
          row.sequence === null
            ? []
            : [{ sequence: row.sequence, node: row.node, signal: JSON.parse(row.body) as Signal }],
        ),
      };
    },
    async removeExpired(): Promise<void> {
      await rows(`DELETE FROM signals WHERE sent_at < clock_timestamp() - interval '1 hour'`, []);
    },
  };
}

/** One statement, so that the head and the signals are of one moment. */
const READ_AFTER = `
SELECT head, sequence, node, body FROM signal_log
LEFT JOIN LATERAL (
  SELECT sequence, node, body FROM signals WHERE sequence > $1 AND sequence <= head ORDER BY sequence LIMIT $2
) AS later ON true
ORDER BY sequence`;
