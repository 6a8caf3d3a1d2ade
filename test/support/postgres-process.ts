import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSIONS = '/usr/lib/postgresql';
export const PASSWORD = 'sesame-of-the-tests';

/** The folder of PostgreSQL's programs; undefined if it is not installed. */
export const programs = process.env['POSTGRES_BIN'] ?? findPrograms();
export const missingPrograms =
  programs === undefined
    ? `There is no PostgreSQL under ${VERSIONS}: install it (Debian: postgresql), or set POSTGRES_BIN to the folder of its programs.`
    : undefined;

/** The user that PostgreSQL runs as, because it refuses to run as root. Undefined: this process does not run as root. */
export function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A server process on a data folder. */
export interface PostgresProcess {
  /** Stops the process at once, as a crash does. The data folder is kept if `keepsData`, for the next start. */
  stop(keepsData?: boolean): Promise<void>;
  hasEnded(): boolean;
}

/**
 * Starts a server on `<folder>/<data>`. It ends with this process, even after `kill -9`, and then removes its data.
 * @param data the name of the data folder
 */
export function launchPostgres(
  folder: string,
  { data, port, settings }: { data: string; port: number; settings: readonly string[] },
): PostgresProcess {
  if (programs === undefined) throw new Error(missingPrograms);
  // The shell waits for the end of its input, which this process holds open, and then stops the server.
  const script = `trap : TERM INT; '${programs}/postgres' -D "$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; [ -e keep-${data} ] || rm -rf ./${data}`;
  const child: ChildProcess = spawn(
    'sh',
    ['-c', script, 'sh', join(folder, data), '-p', String(port), '-k', folder, ...settings],
    { stdio: ['pipe', 'ignore', 'ignore'], cwd: folder, ...postgresUser() },
  );
  child.unref();
  return {
    hasEnded: () => child.exitCode !== null,
    async stop(keepsData = false) {
      const keep = join(folder, `keep-${data}`);
      if (keepsData) writeFileSync(keep, '');
      const ended = once(child, 'close');
      child.stdin?.end();
      await ended;
      rmSync(keep, { force: true });
    },
  };
}

function findPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(VERSIONS, newest, 'bin');
}
