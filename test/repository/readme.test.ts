import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import {
  blockWith,
  createScripts,
  DOCUMENTED_ADDRESS,
  namedBlock,
  runInShell,
} from '../support/code-blocks.ts';
import { read } from '../support/documents.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { API_KEY } from '../support/service.ts';

const README = 'README.md';

test('the README has at most 150 lines and the two commands that it promises', () => {
  const text = read(README);
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  const commands = [...text.matchAll(/```sh\n(npm [^\n]*)\n```/g)].map(([, command]) => command);
  expect(commands).toEqual(['npm ci && npm start', 'npm ci && npm test']);
});

test('the main job works by copy and paste, through a crash and an outage', async () => {
  using folder = createFolder();
  using scripts = createScripts();
  await using service = await startProcess({ folder: folder.path });
  const { host, port } = new URL(service.url);
  const here = (text: string) => text.replaceAll(DOCUMENTED_ADDRESS, host).replaceAll('key_…', API_KEY);
  const job = here(blockWith(README, '# 3. A message'));
  const [created, minted, published] = await runInShell(job);
  expect(created.data.createChannel).toEqual({ id: 'lobby' });
  expect(published.data.publishMessage).toEqual({ connections: 0 });
  const { credential, cursor, token } = minted.data.createToken;

  scripts.write('listen.mjs', here(namedBlock(README, 'listen.mjs')));
  await using listener = scripts.start('listen.mjs', [credential, cursor]);
  const next = () => listener.next();
  expect(await next()).toMatchObject({ __typename: 'Connected', cursor, channels: [{ id: 'lobby' }] });
  expect(await next()).toMatchObject({ message: { event: 'greeting', data: { text: 'hello' } } });

  const [, subscribed, direct, online] = await runInShell(
    here(`${job.split('# 1.')[0]}${blockWith(README, 'backstage').replace('token_…', token.id)}`),
  );
  expect(subscribed.data.subscribeToken).not.toBeNull();
  expect(direct.data.publishDirectMessage).toEqual({ connections: 1 });
  expect(online.data).toEqual({ isOnline: true, channel: { presence: { count: 1 } } });
  expect(await next()).toMatchObject({ __typename: 'ChannelAvailable', channel: { id: 'backstage' } });
  expect(await next()).toMatchObject({ message: { event: 'psst', data: 1 } });

  service.kill('SIGKILL');
  await service.exited;
  await refuseConnections(Number(port), 2);
  await using again = await startProcess({ folder: folder.path, env: { PORT: port } });
  expect(new URL(again.url).host).toBe(host);
  await runInShell(`${job.split('# 1.')[0]}${job.split('\n').at(-2)!.replace('hello', 'welcome back')}`);
  expect(await next()).toMatchObject({ __typename: 'Connected' });
  expect(await next()).toMatchObject({ message: { data: { text: 'welcome back' } } });

  await again.request('mutation ($t: ID!) { revokeToken(id: $t) { id } }', { t: token.id });
  expect(await next()).toMatchObject({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
  // It ends instead of reconnecting for ever with a credential that has ended, and it starts with one only.
  await expect(next()).rejects.toThrow('listen.mjs ended.');
  await expect(scripts.start('listen.mjs').next()).rejects.toThrow('listen.mjs ended.');
});

/** Occupies a port and destroys each connection, until so many have been made. */
async function refuseConnections(port: number, count: number): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  for (let connections = 0; connections < count; connections++) await once(server, 'connection');
  server.close();
  await once(server, 'close');
}
