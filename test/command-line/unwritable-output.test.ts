import assert from 'node:assert';
import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createLineRunner } from '../support/command-line-program.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

/** What commands do that change or check something, when their results cannot be printed. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Every write to this file fails as on a full disk. */
const FULL = '/dev/full';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const { run, json } = createLineRunner(() => service);

/** Runs `signalbox <args>` with a standard output whose reader has gone, or which is full. */
async function runUnwritable(
  output: 'gone' | 'full',
  args: readonly string[],
  apiKey = API_KEY,
): Promise<{ code: number | null; notes: string[] }> {
  const full = output === 'full' ? openSync(FULL, 'w') : undefined;
  const stdio: StdioOptions = ['ignore', full ?? 'pipe', 'pipe'];
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(apiKey), stdio });
  if (full !== undefined) closeSync(full);
  child.stdout?.destroy();
  assert(child.stderr, 'stderr is a pipe');
  const [notes, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, notes: notes.split('\n').filter(Boolean) };
}

const environment = (apiKey: string) => ({
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'test',
  ...{ SIGNALBOX_URL: service.url, SIGNALBOX_API_KEY: apiKey },
});

async function mintIds(count: number): Promise<string[]> {
  const tokens = await Promise.all(Array.from({ length: count }, () => mint(service)));
  return tokens.map(({ id }) => id);
}

const isRevoked = async (id: string) => (await json(`token show ${id}`))[0].revokedAt !== null;

const FAILURES = [
  { output: 'gone', code: 0, errors: [] },
  {
    output: 'full',
    code: 1,
    errors: [expect.stringMatching(/^Standard output cannot be written: .*ENOSPC/)],
  },
] as const;
const possible = FAILURES.filter(({ output }) => output === 'gone' || existsSync(FULL));

describe.each(possible)('while standard output is $output', ({ output, code, errors }) => {
  test('token revoke revokes every token', async () => {
    const ids = await mintIds(3);
    expect(await runUnwritable(output, ['token', 'revoke', ...ids])).toEqual({ code, notes: errors });
    expect(await Promise.all(ids.map(isRevoked))).toEqual([true, true, true]);
  });

  test('subscribe and unsubscribe change every membership', async () => {
    const channel = `memberships:${output}`;
    await createChannel(service, channel);
    const ids = await mintIds(3);
    const unsubscribe = async () =>
      (await json(`unsubscribe ${channel} ${ids.join(' ')}`)).map(({ membership }) => membership !== null);
    expect(await runUnwritable(output, ['subscribe', channel, ...ids])).toEqual({ code, notes: errors });
    expect(await unsubscribe()).toEqual([true, true, true]);
    await run(`subscribe ${channel} ${ids.join(' ')}`);
    expect(await runUnwritable(output, ['unsubscribe', channel, ...ids])).toEqual({ code, notes: errors });
    expect(await unsubscribe()).toEqual([false, false, false]);
  });

  test('a refused change decides the exit code', async () => {
    const [id = ''] = await mintIds(1);
    const refused = await runUnwritable(output, ['token', 'revoke', id, 'token_none']);
    expect(refused).toEqual({ code: 4, notes: [...errors, expect.stringMatching(/\(NOT_FOUND\)$/)] });
    expect(await isRevoked(id)).toBe(true);
  });

  test.each([[['--json']], [['--json', '--batch']]])(
    'publish %j publishes and counts every line',
    async (options) => {
      const channel = ['lines', output, ...options].join(':');
      await createChannel(service, channel);
      using folder = createFolder();
      const file = join(folder.path, 'rows.jsonl');
      const rows = Array.from({ length: 150 }, (_, row) => JSON.stringify(row));
      writeFileSync(file, rows.join('\n'));
      const args = ['publish', channel, 'row', '--file', file, '--key', channel, ...options];
      expect(await runUnwritable(output, args)).toEqual({
        code,
        notes: ['Published 150 messages; 0 were refused.', ...errors],
      });
      const repeated = await json(`publish ${channel} row --file ${file} --key ${channel} --batch`);
      expect(repeated).toHaveLength(150);
      expect(repeated.every((receipt) => receipt.repeated)).toBe(true);
    },
  );

  test('publish --json reports a refused line by its number and with the exit code', async () => {
    const channel = `refused:${output}`;
    await createChannel(service, channel);
    using folder = createFolder();
    const file = join(folder.path, 'rows.jsonl');
    writeFileSync(file, `1\n2\n"${'x'.repeat(40_000)}"\n4\n`);
    const args = ['publish', channel, 'row', '--file', file, '--batch', '--json'];
    expect(await runUnwritable(output, args)).toEqual({
      code: 1,
      notes: [
        expect.stringMatching(/^Line 3: .*\(PAYLOAD_TOO_LARGE\)$/),
        'Published 3 messages; 1 were refused.',
        ...errors,
      ],
    });
  });

  test('the exit codes of doctor, online and explain tell what was found', async () => {
    const [id = ''] = await mintIds(1);
    await createChannel(service, `hidden:${output}`);
    const explain = ['explain', '--channel', `hidden:${output}`, '--action', 'PUBLISH', '--token', id];
    for (const args of [['online', '--token', id], explain])
      expect(await runUnwritable(output, args)).toEqual({ code: 1, notes: errors });
    // The key is checked after the address, so a reader that has gone must not end the checks.
    expect(await runUnwritable(output, ['doctor'], 'key_wrong')).toEqual({ code: 1, notes: errors });
  });
});

test('publish --batch --json reports the refused lines of a call before it prints receipts', async () => {
  await createChannel(service, 'order');
  using folder = createFolder();
  const file = join(folder.path, 'rows.jsonl');
  writeFileSync(file, `1\n"${'x'.repeat(40_000)}"\n3\n`);
  const args = [MAIN, 'publish', 'order', 'row', '--file', file, '--batch', '--json'];
  // One pipe for both outputs keeps their order.
  const child = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', process.execPath, ...args], {
    env: environment(API_KEY),
  });
  const lines = (await text(child.stdout)).split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^Line 2: /),
    expect.stringContaining('"data":1'),
    expect.stringContaining('"data":3'),
    'Published 2 messages; 1 were refused.',
    '',
  ]);
});
