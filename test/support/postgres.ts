import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { join } from 'node:path';
import pg from 'pg';
import { type TestContext } from 'vitest';
import { createFolder } from './folder.ts';
import { findFreePort } from './free-port.ts';
import {
  postgresUser,
  launchPostgres,
  missingPrograms as missing,
  PASSWORD,
  programs,
} from './postgres-process.ts';

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
  /** Of the primary: another one after a promotion. */
  readonly port: number;
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Executes a statement in a database, as its owner. After a promotion, a URL from before means the new primary. */
  query(url: string, sql: string): Promise<any[]>;
  /** Copies a database with the commands of docs/clustering.md and returns the URL of the copy. */
  dumpAndRestore(url: string): Promise<string>;
  /** Stops the server at once, as a crash does, and starts it again. */
  crash(): Promise<void>;
  /** Copies the data folder of the server, which is stopped meanwhile. The copy can take the place of the data once. */
  saveCopy(): Promise<{ restore(): Promise<void> }>;
  /** Makes a standby that follows the primary. Resolves when it streams. */
  addStandby(options: StandbyOptions): Promise<Standby>;
}

export interface StandbyOptions {
  /** Whether a commit waits for the standby. */
  isSynchronous: boolean;
  /** The port through which the standby reaches the primary. Default: that of the primary. */
  through?: number;
}

/** A standby of a server. */
export interface Standby {
  /** Resolves when the standby has everything that is committed at this moment. */
  hasReceivedAll(): Promise<void>;
  /** Stops the primary at once and promotes the standby, which takes the place of the primary. */
  promote(): Promise<void>;
}

let shared: Promise<PostgresServer> | undefined;

/** The server of this worker. It ends with the process of the worker, even after `kill -9`. */
export const sharedPostgres = (): Promise<PostgresServer> => (shared ??= startPostgres());

const STANDBY = 'standby_of_the_tests';

export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  if (programs === undefined) throw new Error(missing);
  // In memory where there is a file system in memory: most tests do not wait for a disk.
  const folder = createFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined);
  const user = postgresUser();
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
  const launch = (data: string, port: number) =>
    launchPostgres(folder.path, {
      data,
      port,
      settings: ['-c', 'max_connections=200', '-c', 'wal_keep_size=64MB', ...settings],
    });
  let primary = { data: 'data', port: await findFreePort() };
  let server = launch(primary.data, primary.port);

  const urlOf = (database: string, port = primary.port) =>
    `postgres://owner:${PASSWORD}@127.0.0.1:${port}/${database}`;
  async function query(url: string, sql: string, port = primary.port): Promise<any[]> {
    const client = new pg.Client({
      connectionString: Object.assign(new URL(url), { port: String(port) }).href,
    });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
  async function waitFor(holds: () => Promise<boolean>, process_: typeof server): Promise<void> {
    for (;;) {
      if (process_.hasEnded()) throw new Error('PostgreSQL ended at its start.');
      if (await holds().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  /** Stops the server in order, does `work` with its data folder, and starts it again: unlike a crash, that keeps every table. */
  async function whileStopped(work: string): Promise<void> {
    await promisify(execFile)(
      'sh',
      ['-c', `'${programs}/pg_ctl' stop -D ${primary.data} -m fast -w && : > keep-${primary.data}`],
      { cwd: folder.path, ...user },
    );
    await server.stop(true);
    await promisify(execFile)('sh', ['-c', work], { cwd: folder.path, ...user });
    server = launch(primary.data, primary.port);
    await accepts();
  }
  const accepts = () =>
    waitFor(async () => (await query(urlOf('postgres'), 'select 1')).length === 1, server);

  await accepts();
  let databases = 0;
  let standbys = 0;
  const running = new Set<typeof server>();
  async function createDatabase(): Promise<string> {
    const name = `test_${++databases}`;
    await query(urlOf('postgres'), `create database ${name}`);
    return urlOf(name);
  }
  return {
    get port() {
      return primary.port;
    },
    query: (url, sql) => query(url, sql),
    createDatabase,
    async dumpAndRestore(url) {
      const target = await createDatabase();
      const file = join(folder.path, 'copy.dump');
      const dump = ['--format=custom', '--no-unlogged-table-data', `--file=${file}`, `--dbname=${url}`];
      execFileSync(`${programs}/pg_dump`, dump, options);
      const restore = ['--exit-on-error', '--single-transaction', `--dbname=${target}`, file];
      execFileSync(`${programs}/pg_restore`, restore, options);
      return target;
    },
    async crash() {
      await server.stop(true);
      server = launch(primary.data, primary.port);
      await accepts();
    },
    async saveCopy() {
      const { data } = primary;
      await whileStopped(`cp -a ${data} copy`);
      return { restore: () => whileStopped(`rm -rf ${data} && mv copy ${data}`) };
    },
    async addStandby({ isSynchronous, through = primary.port }) {
      const data = `standby-${++standbys}`;
      // Not synchronous: a proxy of this process may be on the way.
      await promisify(execFile)(
        'sh',
        [
          '-c',
          `'${programs}/pg_basebackup' -d "$0" -D "$1" -R -X stream --checkpoint=fast --no-sync`,
          `${urlOf('postgres', through)}?application_name=${STANDBY}`,
          data,
        ],
        { cwd: folder.path, ...user },
      );
      const port = await findFreePort();
      const process_ = launch(data, port);
      running.add(process_);
      const inState = (state: string) => async () =>
        (
          await query(
            urlOf('postgres'),
            `select from pg_stat_replication where state = 'streaming' and sync_state in (${state})`,
          )
        ).length > 0;
      await waitFor(inState(`'sync', 'async'`), process_);
      if (isSynchronous) {
        await query(urlOf('postgres'), `alter system set synchronous_standby_names = '*'`);
        await query(urlOf('postgres'), 'select pg_reload_conf()');
        await waitFor(inState(`'sync'`), process_);
      }
      return {
        async hasReceivedAll() {
          const [{ lsn }] = await query(urlOf('postgres'), 'select pg_current_wal_lsn() as lsn');
          const received = `select from pg_stat_replication where flush_lsn >= '${lsn}'`;
          await waitFor(async () => (await query(urlOf('postgres'), received)).length > 0, process_);
        },
        async promote() {
          // A manager of failovers promotes a standby only if commits wait for it.
          if (isSynchronous) await waitFor(inState(`'sync'`), process_);
          await server.stop();
          primary = { data, port };
          server = process_;
          running.delete(process_);
          await waitFor(
            async () => (await query(urlOf('postgres'), 'select pg_promote()')).length === 1,
            server,
          );
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const each of [...running, server]) await each.stop();
      folder[Symbol.dispose]();
    },
  };
}
