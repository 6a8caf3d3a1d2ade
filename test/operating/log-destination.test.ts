import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFolder } from '../support/folder.ts';
import { startProcess, type LaunchOptions, type RunningProcess } from '../support/process.ts';
import { type ServiceClient } from '../support/service.ts';
import { mountSmallDisk, requireSmallDisk } from '../support/small-disk.ts';

const ALIASES = Array.from(
  { length: 30 },
  (_, index) => `a${index}: updateProject(settings: {}) { id }`,
).join(' ');

/** Makes a request that writes 30 audit lines. Lines of refusals are limited per second, those of changes are not. */
const writeLines = ({ request }: ServiceClient) => request<unknown>(`mutation { ${ALIASES} }`);

async function readDropped({ url }: ServiceClient): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^signalbox_log_lines_dropped_total (\d+)$/m.exec(text)?.[1]);
}

async function logUntilDropped(service: ServiceClient): Promise<void> {
  for (let request = 0; (await readDropped(service)) === 0; request++) {
    expect(request).toBeLessThan(2000);
    await writeLines(service);
  }
}

async function expectToWork(service: RunningProcess): Promise<void> {
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
  await service.request('mutation { createToken { credential } }');
  service.kill('SIGTERM');
  expect(await service.exited).toBe(0);
}

const startLogging = (launch: LaunchOptions) =>
  startProcess({ ...launch, env: { SIGNALBOX_LOG_LEVEL: 'info' } });

test('a pipe that nothing reads loses lines, and neither blocks the service nor its shutdown', async () => {
  await using service = await startLogging({ stdout: 'pipe' });
  await logUntilDropped(service);
  await expectToWork(service);
});

test('a pipe that is read again gets whole lines, and one line that counts the lost ones', async () => {
  await using service = await startLogging({ stdout: 'pipe' });
  await logUntilDropped(service);
  let text = '';
  service.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  while (!text.includes('log lines were dropped')) await writeLines(service);
  const lines = text.split('\n').slice(0, -1);
  const parsed = lines.map((line) => JSON.parse(line) as { dropped?: number });
  expect(parsed.find(({ dropped }) => dropped !== undefined)?.dropped).toBeGreaterThan(0);
});

test('a closed pipe does not end the service', async () => {
  await using service = await startLogging({ stdout: 'pipe' });
  service.stdout?.destroy();
  await logUntilDropped(service);
  await expectToWork(service);
});

test('a full disk loses lines, and later lines are whole again', async (context) => {
  requireSmallDisk(context);
  using disk = mountSmallDisk(1);
  const file = join(disk.path, 'log');
  const stdout = openSync(file, 'a');
  await using service = await startLogging({ stdout });
  closeSync(stdout);
  disk.fill();
  await logUntilDropped(service);
  disk.free();
  const readLog = () => readFileSync(file, 'utf8');
  while (!readLog().includes('log lines were dropped')) await writeLines(service);
  const last = readLog().trimEnd().split('\n').at(-1) ?? '';
  expect(() => JSON.parse(last) as unknown).not.toThrow();
  await expectToWork(service);
});

test.each([
  ['warn', 'auto', true],
  ['silent', 'auto', false],
  ['silent', 'on', true],
  ['info', 'off', false],
])('at log level %s the audit log set to %s is written: %s', async (level, auditLog, isWritten) => {
  using folder = createFolder();
  const file = join(folder.path, 'log');
  const stdout = openSync(file, 'a');
  await using service = await startProcess({
    stdout,
    env: { SIGNALBOX_LOG_LEVEL: level, SIGNALBOX_AUDIT_LOG: auditLog },
  });
  closeSync(stdout);
  await service.request('mutation { createToken { credential } }');
  service.kill('SIGTERM');
  await service.exited;
  expect(readFileSync(file, 'utf8').includes('token.create')).toBe(isWritten);
});
