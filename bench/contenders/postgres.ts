import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { freePort } from './free-port.ts';
import { startProcess } from './program.ts';

const VERSIONS = '/usr/lib/postgresql';
const RETRY_MS = 20;

/** A PostgreSQL server with its defaults, on the disk, with an empty database. */
export interface Postgres extends AsyncDisposable {
  readonly url: string;
}

/** The folder of the programs of the newest PostgreSQL; undefined if there is none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(VERSIONS, newest, 'bin');
}

/**
 * @param disk the folder for the data. Default: the folder for temporary files
 * @param hasStandby whether every commit waits for a standby on the same machine
 */
export async function startPostgres({
  disk,
  hasStandby = false,
}: { disk?: string; hasStandby?: boolean } = {}): Promise<Postgres> {
  const programs = postgresPrograms() ?? '';
  const folder = createTemporaryFolder(disk);
  const stops: (() => Promise<void>)[] = [];
  const user = unprivilegedUser();
  if (user) chownSync(folder.path, user.uid, user.gid);
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(programs, program), args, { cwd: folder.path, stdio: 'ignore', ...user });
  const data = join(folder.path, 'primary');
  run('initdb', '-D', data, '--locale=C', '-E', 'UTF8', '-U', 'bench', '--auth=trust');
  const port = await freePort();
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;

  async function serve(data: string, port: number, ...settings: string[]): Promise<void> {
    const args = ['-D', data, '-p', String(port), '-k', folder.path, ...settings];
    const { child } = await startProcess(join(programs, 'postgres'), args, {
      ...(user && { user }),
      parseOutput: (output) => (output.includes('ready to accept') ? true : undefined),
    });
    const kill = () => child.kill('SIGQUIT');
    process.on('exit', kill);
    stops.unshift(async () => {
      process.off('exit', kill);
      const exited = once(child, 'exit');
      kill();
      await exited;
    });
  }

  await serve(data, port);
  if (hasStandby) {
    const standby = join(folder.path, 'standby');
    run('pg_basebackup', '-D', standby, '-R', '-c', 'fast', '-d', `${url}?application_name=standby`);
    await serve(standby, await freePort());
    await waitForStandby(url);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop();
      folder[Symbol.dispose]();
    },
  };
}

async function waitForStandby(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await client.query('SELECT pg_reload_conf()');
  for (;;) {
    const { rows } = await client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'");
    if (rows.length > 0) break;
    await sleep(RETRY_MS);
  }
  await client.end();
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
