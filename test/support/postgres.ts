import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { type TestContext } from 'vitest';
import { createFolder } from './folder.ts';
import { findFreePort } from './free-port.ts';

const VERSIONS = '/usr/lib/postgresql';
const PASSWORD = 'sesame-of-the-tests';

const programs = process.env['POSTGRES_BIN'] ?? findPrograms();
const missing =
  programs === undefined
    ? `There is no PostgreSQL under ${VERSIONS}: install it (Debian: postgresql), or set POSTGRES_BIN to the folder of its programs.`
    : undefined;
if (missing) process.stderr.write(`Tests on PostgreSQL are skipped. ${missing}\n`);

/** Whether tests on PostgreSQL can run; true where they are required, so that they fail. */
export const hasPostgres = missing === undefined || process.env['REQUIRE_SERVERS'] === '1';

/** Skips the test when PostgreSQL is missing, or fails it when `REQUIRE_SERVERS=1`. */
export function requirePostgres({ skip }: TestContext): void {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
}

/** A PostgreSQL server of its own, with its data in a temporary folder. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Executes a statement in a database, as its owner. */
  query(url: string, sql: string): Promise<any[]>;
  /** Copies a database with the commands of docs/clustering.md and returns the URL of the copy. */
  dumpAndRestore(url: string): Promise<string>;
  /** Stops the server at once, as a crash does, and starts it again. */
  crash(): Promise<void>;
}

let shared: Promise<PostgresServer> | undefined;

/** The server of this worker. It ends with the process of the worker, even after `kill -9`. */
export const sharedPostgres = (): Promise<PostgresServer> => (shared ??= startPostgres());

export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  if (programs === undefined) throw new Error(missing);
  // In memory where there is a file system in memory: most tests do not wait for a disk.
  const folder = createFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined);
  const data = join(folder.path, 'data');
  const user = findUser();
  if (user) chownSync(folder.path, user.uid, user.gid);
  const options = { stdio: 'ignore' as const, cwd: folder.path, ...user };
  execFileSync(
    'sh',
    [
      '-c',
      `printf ${PASSWORD} > password && '${programs}/initdb' -D data --locale=C -E UTF8 -U owner --pwfile=password --auth=scram-sha-256 --no-sync --wal-segsize=1`,
    ],
    options,
  );
  const port = await findFreePort();
  const arguments_ = ['-p', String(port), '-k', folder.path, '-c', 'max_connections=200', ...settings];
  // The shell waits for the end of its input, which this process holds open, and then stops the server.
  const script = `trap : TERM INT; '${programs}/postgres' -D "$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; [ -e keep ] || rm -rf ./data`;
  const start = () =>
    spawn('sh', ['-c', script, 'sh', data, ...arguments_], {
      ...options,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  let child = start();
  child.unref();

  const urlOf = (database: string) => `postgres://owner:${PASSWORD}@127.0.0.1:${port}/${database}`;
  async function query(url: string, sql: string): Promise<any[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
  async function accepts(): Promise<void> {
    for (;;) {
      if (child.exitCode !== null) throw new Error('PostgreSQL ended at its start.');
      const isUp = await query(urlOf('postgres'), 'select 1').then(
        () => true,
        () => false,
      );
      if (isUp) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  async function stop(): Promise<void> {
    const ended = once(child, 'close');
    child.stdin.end();
    await ended;
  }

  await accepts();
  let databases = 0;
  async function createDatabase(): Promise<string> {
    const name = `test_${++databases}`;
    await query(urlOf('postgres'), `create database ${name}`);
    return urlOf(name);
  }
  return {
    port,
    query,
    createDatabase,
    async dumpAndRestore(url) {
      const target = await createDatabase();
      const file = join(folder.path, 'copy.dump');
      const dump = ['--format=custom', '--no-unlogged-table-data', `--file=${file}`, `--dbname=${url}`];
      execFileSync(join(programs, 'pg_dump'), dump, options);
      const restore = ['--exit-on-error', '--single-transaction', `--dbname=${target}`, file];
      execFileSync(join(programs, 'pg_restore'), restore, options);
      return target;
    },
    async crash() {
      const keep = join(folder.path, 'keep');
      writeFileSync(keep, '');
      await stop();
      rmSync(keep);
      child = start();
      child.unref();
      await accepts();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      folder[Symbol.dispose]();
    },
  };
}

function findPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(VERSIONS, newest, 'bin');
}

/** PostgreSQL refuses to run as root. */
function findUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
