import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { read } from '../support/documents.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { API_KEY } from '../support/service.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ADDRESS = '127.0.0.1:4000';

/** The code blocks of the README, in order. */
const blocks = [...read('README.md').matchAll(/```(sh|js)\n([\s\S]*?)```/g)].map(
  ([, language, text = '']) => ({
    language,
    text,
  }),
);

function blockWith(words: string): string {
  const found = blocks.filter(({ text }) => text.includes(words));
  expect(found).toHaveLength(1);
  return found[0]!.text;
}

/** Runs lines of the README in a shell and yields what each `signalbox` of theirs was answered. */
async function runInShell(script: string): Promise<any[]> {
  const shell = spawn('bash', ['-eu', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answers: any[] = [];
  for await (const line of createInterface({ input: shell.stdout })) if (line) answers.push(JSON.parse(line));
  return answers;
}

test('the main job works by copy and paste, through a crash and an outage', async () => {
  using folder = createFolder();
  await using service = await startProcess({ folder: folder.path });
  const { host, port } = new URL(service.url);
  const here = (text: string) => text.replaceAll(ADDRESS, host).replaceAll('key_…', API_KEY);
  const job = here(blockWith('# 3. Say something'));
  const [made, minted, said] = await runInShell(job);
  expect(made.data.createChannel).toEqual({ id: 'lobby' });
  expect(said.data.publishMessage).toEqual({ connections: 0 });
  const { credential, cursor, token } = minted.data.createToken;

  // Where it finds the packages of this project, as it does in the reader's copy of it.
  const scripts = mkdtempSync(join(ROOT, 'node_modules', '.readme-'));
  writeFileSync(join(scripts, 'listen.mjs'), here(blockWith('createClient')));
  const listener = spawn('node', [join(scripts, 'listen.mjs'), credential, cursor], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse(String((await lines.next()).value));
    expect(await next()).toMatchObject({ __typename: 'Connected', cursor, channels: [{ id: 'lobby' }] });
    expect(await next()).toMatchObject({ message: { event: 'greeting', data: { text: 'hello' } } });

    const [, subscribed, whispered, asked] = await runInShell(
      here(`${job.split('# 1.')[0]}${blockWith('backstage').replace('token_…', token.id)}`),
    );
    expect(subscribed.data.subscribeToken).not.toBeNull();
    expect(whispered.data.publishDirectMessage).toEqual({ connections: 1 });
    expect(asked.data).toEqual({ isOnline: true, channel: { presence: { count: 1 } } });
    expect(await next()).toMatchObject({ __typename: 'ChannelAvailable', channel: { id: 'backstage' } });
    expect(await next()).toMatchObject({ message: { event: 'psst', data: 1 } });

    service.kill('SIGKILL');
    await service.exited;
    await turnAway(Number(port), 2);
    await using again = await startProcess({ folder: folder.path, env: { PORT: port } });
    expect(new URL(again.url).host).toBe(host);
    await runInShell(`${job.split('# 1.')[0]}${job.split('\n').at(-2)!.replace('hello', 'welcome back')}`);
    expect(await next()).toMatchObject({ __typename: 'Connected' });
    expect(await next()).toMatchObject({ message: { data: { text: 'welcome back' } } });
  } finally {
    listener.kill();
    rmSync(scripts, { recursive: true });
  }
});

/** Keeps a port busy with being of no use until it was tried so many times. */
async function turnAway(port: number, times: number): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  for (let time = 0; time < times; time++) await once(server, 'connection');
  server.close();
  await once(server, 'close');
}
