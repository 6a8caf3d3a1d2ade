import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type TestContext } from 'vitest';
import { createFolder } from './folder.ts';
import { findFreePort } from './free-port.ts';
import { postgresUser } from './postgres-process.ts';

const PGBOUNCER = process.env['PGBOUNCER'] ?? '/usr/sbin/pgbouncer';

const missing = existsSync(PGBOUNCER)
  ? undefined
  : `There is no PgBouncer at ${PGBOUNCER}: install it (Debian: pgbouncer) or set PGBOUNCER.`;
if (missing) process.stderr.write(`Tests behind a pooler are skipped. ${missing}\n`);

/** Skips the test when PgBouncer is missing, or fails it when `REQUIRE_SERVERS=1`. */
export function requirePgBouncer({ skip }: TestContext): void {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
}

/** A pooler in front of a database. */
export interface PgBouncer extends AsyncDisposable {
  /** The URL of the database through the pooler. */
  readonly url: string;
}

/**
 * Runs PgBouncer without privileges on a free port, in front of the database of `url`, with its own defaults. Resolves when it accepts
 * connections.
 */
export async function startPgBouncer(
  url: string,
  mode: 'session' | 'transaction' | 'statement',
): Promise<PgBouncer> {
  const { hostname, port: serverPort, username, password } = new URL(url);
  const folder = createFolder();
  const port = await findFreePort();
  const configuration = [
    '[databases]',
    `* = host=${hostname} port=${serverPort} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
  ].join('\n');
  const file = join(folder.path, 'pgbouncer.ini');
  writeFileSync(file, configuration);
  const user = postgresUser();
  for (const path of user ? [folder.path, file] : []) chownSync(path, user!.uid, user!.gid);
  const child = spawn(PGBOUNCER, ['-q', file], { stdio: ['ignore', 'ignore', 'pipe'], ...user });
  let errorOutput = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  const ended = once(child, 'close');
  const pooled = Object.assign(new URL(url), { port: String(port) }).href;
  while (!(await accepts(pooled))) {
    if (child.exitCode !== null)
      throw new Error(`PgBouncer ended before it accepted connections: ${errorOutput}`);
  }
  return {
    url: pooled,
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await ended;
      folder[Symbol.dispose]();
    },
  };
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
