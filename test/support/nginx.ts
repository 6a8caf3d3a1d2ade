import { spawn } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestContext } from 'vitest';
import { createFolder } from './folder.ts';

const NGINX = process.env['NGINX'] ?? '/usr/sbin/nginx';
/** `nobody`: when the tests run as root, nginx does not. */
const NOBODY = 65_534;
const FILES = ['certificate.pem', 'key.pem'] as const;

const certificateFile = (name: string) => fileURLToPath(new URL(`certificate/${name}`, import.meta.url));

/** The certificate that `startNginx` serves with, for `localhost` and 127.0.0.1; it is its own authority. */
export const CERTIFICATE = readFileSync(certificateFile('certificate.pem'));

const missing = existsSync(NGINX) ? undefined : `There is no nginx at ${NGINX}: install it or set NGINX.`;
if (missing) process.stderr.write(`Tests behind a proxy are skipped. ${missing}\n`);

/** Skips the test when nginx is missing, or fails it when `REQUIRE_SERVERS=1`. */
export function requireNginx({ skip }: TestContext): void {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
}

/**
 * Runs nginx without privileges in a temporary folder, with `site` as its only file in `conf.d` and the test certificate
 * as `certificate.pem` and `key.pem` in its prefix. Resolves when it accepts connections on `port`.
 */
export async function startNginx(site: string, port: number): Promise<AsyncDisposable> {
  const folder = createFolder();
  for (const name of FILES) copyFileSync(certificateFile(name), join(folder.path, name));
  writeFileSync(join(folder.path, 'site.conf'), site);
  writeFileSync(join(folder.path, 'nginx.conf'), mainConfiguration());
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    for (const name of ['', 'site.conf', 'nginx.conf', ...FILES])
      chownSync(join(folder.path, name), NOBODY, NOBODY);
  }
  const child = spawn(NGINX, ['-p', folder.path, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  });
  let errorOutput = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  const ended = once(child, 'close');
  const stopped = { value: false };
  void ended.then(() => (stopped.value = true));
  while (!(await accepts(port))) {
    if (stopped.value) {
      folder[Symbol.dispose]();
      throw new Error(`nginx ended before it accepted connections: ${errorOutput}`);
    }
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      folder[Symbol.dispose]();
    },
  };
}

/** Everything that nginx writes stays in its prefix. */
function mainConfiguration(): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${name};`,
  );
  return [
    'daemon off;',
    'worker_processes 1;',
    'pid nginx.pid;',
    'error_log stderr warn;',
    'events { worker_connections 256; }',
    'http {',
    '  access_log off;',
    ...temporary,
    '  include site.conf;',
    '}',
    '',
  ].join('\n');
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
