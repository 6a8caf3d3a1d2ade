import { sql } from 'drizzle-orm';
import { type SQLiteTable } from 'drizzle-orm/sqlite-core';
import pg from 'pg';
import { SignalboxError } from '../errors.ts';
import { checkServer } from './postgres-checks.ts';
import {
  ANSWER_TIMEOUT_MS,
  connect,
  connectionError,
  connectionOptions,
  LimitedClient,
} from './postgres-connection.ts';
import { asUnavailable } from './postgres-errors.ts';
import { migrateDatabase } from './postgres-migrations.ts';
import { createDatabase } from './postgres-session.ts';
import { type PostgresStore, type Statement, type Transaction } from './store.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; the driver reads its parameters, such as `sslmode`. */
  url: string;
  /** The maximum number of connections of the pool; one more is for `controlRows`. */
  connections: number;
  nodeId: string;
  /** The longest wait for the answer to a statement, in milliseconds. Default: 12 seconds. */
  answerTimeoutMs?: number;
}

/** A success is valid for this long before `writeProblem` asks the database again, in milliseconds. */
const PROBE_INTERVAL_MS = 1000;
/** The longest wait for the answer to a statement of `controlRows`, in milliseconds. */
const CONTROL_TIMEOUT_MS = 2000;
/** The statements that each connection keeps prepared. The service has fewer; lists of ids make more texts. */
const MAX_PREPARED = 200;

/**
 * Opens the PostgreSQL store, checks the server, and applies pending migrations; see Store. Disposing closes the
 * connections.
 * @throws UNAVAILABLE when the database cannot be used, or a newer version of Signalbox wrote it
 */
export async function openPostgres({
  url,
  connections,
  nodeId,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
}: PostgresOptions): Promise<PostgresStore> {
  await prepareDatabase(url, nodeId);
  let { pool, controlPool } = openPools(nodeId);
  const prepared = new Map<string, string>();
  let problem: string | undefined;
  let probedAt = performance.now();
  let isClosed = false;

  function openPools(name: string) {
    const options = connectionOptions(url, name);
    const control = {
      max: 1,
      query_timeout: CONTROL_TIMEOUT_MS,
      connectionTimeoutMillis: CONTROL_TIMEOUT_MS,
    };
    const opened = {
      pool: new pg.Pool({
        ...options,
        Client: LimitedClient,
        max: connections,
        query_timeout: answerTimeoutMs,
      }),
      controlPool: new pg.Pool({ ...options, ...control, Client: LimitedClient }),
    };
    for (const each of Object.values(opened)) each.on('error', (error) => note(asUnavailable(error)));
    return opened;
  }

  const rowsFrom =
    (poolOf: () => pg.Pool) =>
    <Row extends object>(sql: string, params: readonly unknown[]) =>
      guard(async () => (await poolOf().query<Row>(statementOf(sql, params))).rows);

  function note(error: unknown): void {
    if (error instanceof SignalboxError && error.code === 'UNAVAILABLE') problem = error.message;
  }

  /** Statements are prepared once for each connection: parsing and planning would take longer than their execution. */
  function nameOf(sql: string): string | undefined {
    const known = prepared.get(sql);
    if (known !== undefined || prepared.size >= MAX_PREPARED) return known;
    const name = `signalbox_${prepared.size}`;
    prepared.set(sql, name);
    return name;
  }

  async function guard<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed) throw new SignalboxError('UNAVAILABLE', (problem = 'The service is shutting down.'));
    try {
      const result = await work();
      problem = undefined;
      return result;
    } catch (error) {
      const translated = asUnavailable(error);
      note(translated);
      throw translated;
    }
  }

  const statementOf = (sql: string, params: readonly unknown[]) => {
    const name = nameOf(sql);
    return { text: sql, values: params.map(toWhole), ...(name !== undefined && { name }) };
  };

  async function transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return guard(async () => {
      const client = await pool.connect();
      let failure: Error | undefined;
      let isCommitting = false;
      try {
        await client.query('begin');
        const result = await work(transactionOn(client));
        isCommitting = true;
        await client.query('commit');
        return result;
      } catch (error) {
        failure = error as Error;
        // Where the connection may be dead, its end rolls back; nothing would answer.
        if (!isUnusable(failure)) await client.query('rollback').catch(() => undefined);
        throw asUnavailable(error, !isCommitting);
      } finally {
        // A connection in an unknown state is closed; an error of the statement leaves it usable.
        client.release(failure !== undefined && isUnusable(failure));
      }
    });
  }

  function transactionOn(client: pg.PoolClient): Transaction {
    return {
      db: createDatabase(
        async (sql, params) =>
          (await client.query<unknown[]>({ ...statementOf(sql, params), rowMode: 'array' })).rows,
      ),
      async batch(statements) {
        for (const { sql, params } of statements.map(toQuery)) await client.query(statementOf(sql, params));
      },
      rows: async <Row extends object>(sql: string, params: readonly unknown[]) =>
        (await client.query<Row>(statementOf(sql, params))).rows,
    };
  }

  function probe(): void {
    probedAt = performance.now();
    void guard(() => pool.query('select 1')).catch(() => undefined);
  }

  const rows = rowsFrom(() => pool);
  const db = createDatabase((sql, params) =>
    guard(async () => (await pool.query<unknown[]>({ ...statementOf(sql, params), rowMode: 'array' })).rows),
  );

  return {
    db,
    select(table, condition) {
      const prepared = db
        .select()
        .from(table as SQLiteTable)
        .where(condition)
        .prepare();
      return (values) => prepared.execute(values);
    },
    rows,
    controlRows: rowsFrom(() => controlPool),
    waiting: () => pool.waitingCount,
    connectAs(name) {
      const old = [pool, controlPool];
      ({ pool, controlPool } = openPools(name));
      for (const each of old) void each.end().catch(() => undefined);
    },
    transaction,
    async batch(statements) {
      const [first, ...others] = statements;
      // One statement is a transaction by itself, in one round trip instead of three.
      if (first && others.length === 0) {
        const { sql, params } = first.toSQL();
        await rows(sql, params);
      } else if (first) await transaction(({ batch }) => batch(statements));
    },
    jsonNumber: (column, member) => sql<number>`coalesce((${column} ->> ${member}::text)::bigint, 0)`,
    lockingRows: sql`for update`,
    keepingRows: sql`for key share`,
    reportDamage: () => undefined,
    writeProblem() {
      if (performance.now() - probedAt > PROBE_INTERVAL_MS) probe();
      return problem;
    },
    untilUnlocked: () => undefined,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await Promise.all([pool.end(), controlPool.end()]);
    },
  };
}

/** Whether the connection may be in an unknown state after the error: it is not one of the statement. */
const isUnusable = (error: Error): boolean => asUnavailable(error) !== error;

const toQuery = (statement: Statement) => statement.toSQL();

/** The columns hold whole numbers; a moment of the clock may have a fraction, which SQLite compares and PostgreSQL refuses. */
function toWhole(param: unknown): unknown {
  if (typeof param !== 'number' || Number.isSafeInteger(param)) return param;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.floor(param)));
}

/** Identifies the lock of a start among the advisory locks of the database: “signalst” in ASCII, as a number. */
const START_LOCK = '8316291910694892404';

/** Checks the server and migrates the database, one node at a time. */
async function prepareDatabase(url: string, nodeId: string): Promise<void> {
  const client = await connect(url, nodeId);
  try {
    await checkServer(client, url, nodeId);
    // Without a time limit: another node may be migrating a large database.
    await client.query('select pg_advisory_lock($1)', [START_LOCK]);
    await migrateDatabase(client);
  } catch (error) {
    throw connectionError(url, error);
  } finally {
    await client.end();
  }
}
