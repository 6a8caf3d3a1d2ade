import { type PostgresStore } from '../store/store.ts';

/** The figures of the database that all nodes share. */
export interface DatabaseReading {
  /** The size of the database on the disk, without the write-ahead log of the server. */
  databaseBytes: number;
  /** See `signalbox_log_messages`. */
  messages: number;
  /** The nodes whose lease lasts. */
  nodes: number;
  /** The part of the queue of notifications that is in use, from 0 to 1. At 1, no node can notify the others. */
  notificationQueueUsage: number;
}

/** A reading is returned for this long before the next one is asked for, in milliseconds. */
const MAX_AGE_MS = 1000;

/**
 * Returns the last reading, and asks for the next one when it is old: a caller never waits for the database, and one that does
 * not ask causes no queries. Undefined before the first reading, and while the database does not answer.
 */
export function createDatabaseReading({
  rows,
}: Pick<PostgresStore, 'rows'>): () => DatabaseReading | undefined {
  let reading: DatabaseReading | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    try {
      [reading] = await rows<DatabaseReading>(READ, []);
    } catch {
      // The store reports that the database cannot be reached.
      reading = undefined;
    } finally {
      asking = undefined;
    }
  }

  const read = () => {
    if (!asking && performance.now() > askedAt + MAX_AGE_MS) {
      askedAt = performance.now();
      asking = ask();
    }
    return reading;
  };
  read();
  return read;
}

/** The oldest message of each project is the first entry of the primary key. */
const READ = `
SELECT pg_database_size(current_database()) AS "databaseBytes",
  (SELECT coalesce(sum(head - oldest.sequence + 1), 0)::bigint FROM logs, LATERAL (
    SELECT sequence FROM messages WHERE messages.project_id = logs.project_id ORDER BY sequence LIMIT 1) AS oldest
  ) AS messages,
  (SELECT count(*) FROM nodes WHERE NOT fenced AND lease_until > clock_timestamp()) AS nodes,
  pg_notification_queue_usage() AS "notificationQueueUsage"`;
