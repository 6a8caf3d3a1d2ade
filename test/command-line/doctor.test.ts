import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainClientAddress } from '../../src/cli/remote/client-address.ts';
import { runCommand } from '../support/command-line.ts';
import { runProgram } from '../support/command-line-program.ts';
import { createFolder } from '../support/folder.ts';
import { findFreePort } from '../support/free-port.ts';
import { requireNginx, startNginx } from '../support/nginx.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { API_KEY } from '../support/service.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const ALL = [
  'address',
  'readiness',
  'clock',
  'API key',
  'client address',
  'event streams',
  'WebSocket',
  'origin',
];

/** A service behind one proxy, as `SIGNALBOX_TRUSTED_PROXIES` says. */
let service: RunningProcess;
beforeAll(async () => {
  service = await startProcess({ env: { SIGNALBOX_TRUSTED_PROXIES: '1', NODE_ENV: 'production' } });
});
afterAll(() => service[Symbol.asyncDispose]());

const examine = async (url: string, ...args: string[]) => {
  const { lines, code } = await runProgram({ url }, ['doctor', '--json', ...args]);
  const findings = lines.map((line) => JSON.parse(line) as { check: string; ok: boolean; message: string });
  return { code, findings, failed: findings.filter(({ ok }) => !ok) };
};

/** A proxy in front of the service, with the given directives in its only location. */
async function proxyWith(...directives: string[]): Promise<{ url: string } & AsyncDisposable> {
  const port = await findFreePort();
  const target = `proxy_pass ${service.url};`;
  const location = `location / { ${[target, ...directives].join(' ')} }`;
  const nginx = await startNginx(`server { listen 127.0.0.1:${port}; ${location} }`, port);
  return Object.assign(nginx, { url: `http://127.0.0.1:${port}` });
}

const FORWARDED = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;';
const UPGRADED =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';

test('all checks pass through a proxy that is configured as the guide says', async (scope) => {
  requireNginx(scope);
  await using proxy = await proxyWith(
    FORWARDED,
    UPGRADED,
    'proxy_buffering off; proxy_set_header Host $http_host;',
  );
  const { code, output } = await runCommand(['doctor'], {
    SIGNALBOX_URL: proxy.url,
    SIGNALBOX_API_KEY: API_KEY,
  });
  const lines = output.trim().split('\n');
  expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual(
    ALL.map((check) => `ok      ${check}`),
  );
  // Not only the first bytes, which a proxy that buffers may pass on as well.
  expect(output).toContain('Events arrive as they are sent');
  expect(code).toBe(0);
});

test('names a proxy that takes no upgrades, buffers event streams and hides the host', async (scope) => {
  requireNginx(scope);
  await using proxy = await proxyWith(
    FORWARDED,
    'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
  );
  const { code, failed } = await examine(proxy.url);
  expect(code).toBe(1);
  expect(failed.map(({ check }) => check)).toEqual(['event streams', 'WebSocket', 'origin']);
  expect(failed[0]?.message).toContain('proxy_buffering off');
  expect(failed[1]?.message).toContain('Upgrade and Connection');
});

test('reports an origin that is not allowed with the error message of the service', async () => {
  const { failed } = await examine(service.url, '--origin', 'https://evil.example');
  expect(failed.find(({ check }) => check === 'origin')?.message).toBe(
    'The origin “https://evil.example” is not allowed. Add it to SIGNALBOX_ORIGINS. (403)',
  );
});

test('reports a service that lets clients choose their address', async () => {
  // The service expects a proxy, and there is none.
  const { failed } = await examine(service.url);
  expect(failed.map(({ check }) => check)).toEqual(['client address']);
  expect(failed[0]?.message).toContain('SIGNALBOX_TRUSTED_PROXIES');
});

test('distinguishes a client address from that of a proxy', () => {
  const forged = '192.0.2.1';
  const explain = (seen: string, server: string) => () => explainClientAddress({ seen, forged, server });
  expect(explain('203.0.113.9', '198.51.100.1')()).toContain('203.0.113.9');
  expect(explain('10.0.0.7', '10.0.0.1')()).toContain('10.0.0.7');
  expect(explain('10.0.0.7', '198.51.100.1')).toThrow('that of a proxy');
  expect(explain('fd00:1::/64', '2001:db8::1')).toThrow('that of a proxy');
});

test('an address without a service ends the checks, and a missing API key is reported', async () => {
  const unreachable = await examine(`http://127.0.0.1:${await findFreePort()}`);
  expect(unreachable.findings).toMatchObject([
    { check: 'address', ok: false, message: expect.stringContaining('ECONNREFUSED') },
  ]);
  const { lines } = await runProgram(service, ['doctor'], { env: { SIGNALBOX_API_KEY: '', HOME: '' } });
  expect(lines).toContainEqual(expect.stringMatching(/^FAILED {2}API key: There is no API key\. Set/));
  expect(lines).toContainEqual(expect.stringMatching(/^ok {6}WebSocket: The service was reached/));
});

test('--local passes on a machine that is ready, before and after the first start', async () => {
  using folder = createFolder();
  const env = { SIGNALBOX_DATA: folder.path };
  const before = await runCommand(['doctor', '--local'], env);
  expect(before.output).toContain('There is no store yet');
  expect(before.code).toBe(0);
  await using _ = await startProcess({ folder: folder.path });
  const { output, code } = await runCommand(['doctor', '--local'], env);
  expect(output).toMatch(/^ok {6}master key: .*only its owner can read it/m);
  expect(output).toMatch(/^ok {6}store: .*can be read/m);
  expect(code).toBe(0);
});

test('--local names the remedy for a misspelled setting, an open master key, a damaged store and a low limit', async () => {
  using folder = createFolder();
  const key = join(folder.path, 'master.key');
  writeFileSync(key, 'a'.repeat(43));
  chmodSync(key, 0o644);
  writeFileSync(join(folder.path, 'signalbox.sqlite'), 'not a database'.repeat(100));
  const { stdout, status } = spawnSync(
    'sh',
    ['-c', 'ulimit -n 300 && exec "$0" "$@"', process.execPath, MAIN, 'doctor', '--local'],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], SIGNALBOX_DATA: folder.path, SIGNALBOX_MAX_CONECTIONS: '5' },
    },
  );
  expect(status).toBe(1);
  const failed = stdout.split('\n').filter((line) => line.startsWith('FAILED'));
  expect(failed).toEqual([
    expect.stringContaining('Did you mean SIGNALBOX_MAX_CONNECTIONS?'),
    expect.stringContaining('Raise the limit (ulimit -n'),
    expect.stringContaining('Run chmod 600'),
    expect.stringContaining('cannot be opened as a SQLite database'),
  ]);
  const invalid = await runCommand(['doctor', '--local'], { PORT: 'four' });
  expect(invalid.output).toBe(
    'FAILED  settings: PORT is “four”; it must be a whole number from 0 to 65535 (count).\n',
  );
  expect(invalid.code).toBe(1);
});
