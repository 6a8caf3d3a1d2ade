import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { startService } from '../support/service.ts';

const GUIDE = 'docs/guides/reconnect-and-gaps.md';

/** The cursor of a message in another installation, which no log but that one knows. */
async function foreignCursor(): Promise<string> {
  await using other = await startService();
  return (await mint(other)).cursor;
}

function guideScript(name: string, { url }: { url: string }): string {
  return namedBlock(GUIDE, name).replaceAll(DOCUMENTED_ADDRESS, new URL(url).host);
}

/** Resolves when the retention has removed all but `count` messages of a channel. */
async function untilTrimmed({ request }: RunningProcess, channel: string, count: number): Promise<void> {
  const query = `query ($c: ID!) { channel(id: $c) { messages(first: 100) { nodes { id } } } }`;
  while ((await request(query, { c: channel })).channel.messages.nodes.length > count);
}

test('inbox.mjs resumes after kill -9 of the server and of itself, and reloads after both kinds of gap', async () => {
  using folder = createFolder();
  using scripts = createScripts();
  const env = { SIGNALBOX_PURGE_INTERVAL_MS: '100' };
  await using first = await startProcess({ folder: folder.path, env });
  await createChannel(first, 'room', { history: { messages: 2 } });
  const { credential } = await mint(first, { channels: ['room'] });
  scripts.write('inbox.mjs', guideScript('inbox.mjs', first));
  const start = () => scripts.start('inbox.mjs', [credential, 'cursor.txt']);

  let service: RunningProcess;
  {
    await using inbox = start();
    expect(await inbox.next()).toMatchObject({ __typename: 'Connected', channels: [{ id: 'room' }] });
    await publish(first, 'room', 'one');
    const { message } = await inbox.next();
    expect(message).toMatchObject({ event: 'one' });
    first.kill('SIGKILL');
    await first.exited;
    const { port } = new URL(first.url);
    service = await startProcess({ folder: folder.path, env: { ...env, PORT: port } });
    await publish(service, 'room', 'two');
    expect(await inbox.next()).toMatchObject({ __typename: 'Connected', cursor: message.cursor });
    expect(await inbox.next()).toMatchObject({ message: { event: 'two' } });
  }
  await using _ = service;

  for (const event of ['three', 'four', 'five']) await publish(service, 'room', event);
  await untilTrimmed(service, 'room', 2);
  {
    await using inbox = start();
    expect(await inbox.next()).toMatchObject({ __typename: 'Connected' });
    expect(await inbox.next()).toMatchObject({ reason: 'RETENTION', channels: [{ id: 'room' }] });
    const later = [await inbox.next(), await inbox.next(), await inbox.next()];
    expect(later.flatMap(({ message }) => message?.event ?? [])).toEqual(['four', 'five']);
    const { reloaded } = later.find((line) => 'reloaded' in line);
    expect(reloaded.messages.nodes).toMatchObject([{ event: 'four' }, { event: 'five' }]);
  }

  scripts.write('cursor.txt', await foreignCursor());
  await using inbox = start();
  expect(await inbox.next()).toMatchObject({ __typename: 'Connected' });
  expect(await inbox.next()).toMatchObject({ reason: 'POSITION_LOST', directMessages: true });
  expect(await inbox.next()).toMatchObject({ reloaded: { id: 'room' } });
  await publish(service, 'room', 'six');
  expect(await inbox.next()).toMatchObject({ message: { event: 'six' } });
});

test('channel.mjs reads history and subscribes from its end when its position is lost', async () => {
  await using service = await startService({ retentionMessages: 2 });
  using scripts = createScripts();
  await createChannel(service, 'room');
  const { credential, cursor } = await mint(service, { channels: ['room'] });
  for (const event of ['one', 'two', 'three']) await publish(service, 'room', event);
  await service.service.retention.purge();
  scripts.write('channel.mjs', guideScript('channel.mjs', service));

  await using channel = scripts.start('channel.mjs', [credential, 'room', cursor]);
  expect(await channel.next()).toEqual({ lost: cursor });
  expect(await channel.next()).toMatchObject({ history: [{ event: 'two' }, { event: 'three' }] });
  await publish(service, 'room', 'four');
  expect(await channel.next()).toMatchObject({ event: 'four' });
});
