import type pg from 'pg';
import { SignalboxError } from '../errors.ts';
import { connect } from './postgres-connection.ts';

/** Identifies the lock of the node among the advisory locks of the database: “signalbx” in ASCII, as a number. */
const LOCK = '8316291934904246904';
/** How long a start waits for a node that is stopping, and the time between two attempts, in milliseconds. */
const WAIT_MS = 1000;
const RETRY_MS = 100;
/** Time between two attempts to connect again, in milliseconds. */
const RECONNECT_MS = 250;

/** The claim of this process to be the only node on the database, held by a session of its own. */
export interface NodeLock extends AsyncDisposable {
  /** The session that holds the lock. */
  readonly client: pg.Client;
  /** Why this process must not use the database any more; undefined while it may. */
  lostTo(): string | undefined;
}

/**
 * Takes the lock. When its connection is lost, takes it again; if another node was there meanwhile, it is lost for good,
 * because the caches of this process are stale.
 * @throws UNAVAILABLE when another node has the lock
 */
export async function acquireNodeLock(url: string, nodeId: string): Promise<NodeLock> {
  let client = await connect(url, nodeId);
  let isDisposed = false;
  let reason: string | undefined;

  try {
    const deadline = performance.now() + WAIT_MS;
    while (!(await tryLock(client))) {
      if (performance.now() > deadline)
        throw new SignalboxError(
          'UNAVAILABLE',
          'Another Signalbox node uses this database, and several nodes on one database are not supported yet. Stop it, or set SIGNALBOX_DATABASE_URL to another database.',
        );
      await delay(RETRY_MS);
    }
  } catch (error) {
    await client.end();
    throw error;
  }

  function watch(): void {
    client.once('end', () => {
      if (!isDisposed) void retake();
    });
  }

  async function retake(): Promise<void> {
    while (!isDisposed && reason === undefined) {
      await delay(RECONNECT_MS);
      const next = await connect(url, nodeId).catch(() => undefined);
      if (!next) continue;
      try {
        const hasLock = await tryLock(next);
        if ((await ownerOf(next)) !== nodeId) reason = TAKEN_OVER;
        else if (hasLock) {
          client = next;
          return watch();
        }
      } catch {
        // The connection was lost again.
      }
      await next.end().catch(() => undefined);
    }
  }

  watch();
  return {
    client,
    lostTo: () => reason,
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      await client.end().catch(() => undefined);
    },
  };
}

const TAKEN_OVER = 'Another Signalbox node has taken over the database. Restart this process.';

/**
 * Makes this node the owner of the log. `append_messages` refuses the messages of any other node. Waits for appends that
 * may not have seen the change, so that afterwards nothing is appended behind the back of this node.
 */
export async function takeOwnership(client: pg.Client, nodeId: string): Promise<void> {
  await client.query(
    'insert into node_ownership (node) values ($1) on conflict (is_single) do update set node = excluded.node',
    [nodeId],
  );
  await client.query('begin; lock table logs in exclusive mode; commit');
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    LOCK,
  ]);
  return rows[0]?.locked ?? false;
}

async function ownerOf(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ node: string }>('select node from node_ownership');
  return rows[0]?.node;
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref());
