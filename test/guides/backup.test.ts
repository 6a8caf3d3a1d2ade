import { execFileSync } from 'node:child_process';
import { cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { namedBlock } from '../support/code-blocks.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';

const PAGE = 'docs/operating.md';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the commands of a code block of the page, with the folders of the test and without systemd. */
function runDocumented(name: string, replaced: Record<string, string>): void {
  const lines = namedBlock(PAGE, name).split('\n');
  const commands = lines.filter((line) => !line.startsWith('systemctl')).join('\n');
  const script = Object.entries(replaced).reduce((text, [documented, actual]) => {
    expect(text).toContain(documented);
    return text.replaceAll(documented, actual);
  }, commands);
  execFileSync('bash', ['-eu', '-c', script], { stdio: 'pipe' });
}

async function historyOf({ request }: RunningProcess): Promise<string[]> {
  const { channel } = await request(`{ channel(id: "room") { messages(last: 100) { nodes { event } } } }`);
  return channel.messages.nodes.map(({ event }: { event: string }) => event);
}

test('a copy of a stopped data folder starts and holds everything', async () => {
  using folder = createFolder();
  using copy = createFolder();
  {
    await using service = await startProcess({ folder: folder.path });
    await createChannel(service, 'room');
    await publish(service, 'room', 'before');
    service.kill('SIGTERM');
    await service.exited;
  }
  cpSync(folder.path, copy.path, { recursive: true });
  await using restored = await startProcess({ folder: copy.path });
  expect(await historyOf(restored)).toEqual(['before']);
  expect(statSync(join(folder.path, 'master.key')).mode & 0o777).toBe(0o600);
});

test('the documented backup of a running service is put back by the documented restore', async () => {
  using folder = createFolder();
  const file = join(folder.path, 'copy.sqlite');
  const places = { '/opt/signalbox': ROOT, '/var/lib/signalbox': folder.path };
  const cursor = await (async () => {
    await using service = await startProcess({ folder: folder.path });
    await createChannel(service, 'room');
    await publish(service, 'room', 'before');
    runDocumented('backup', { ...places, '/var/backups/signalbox-$(date +%F).sqlite': file });
    await publish(service, 'room', 'lost');
    const { cursor: ahead } = await mint(service);
    service.kill('SIGTERM');
    await service.exited;
    return ahead;
  })();

  runDocumented('restore', { ...places, '/var/backups/signalbox-2030-01-31.sqlite': file });
  await using restored = await startProcess({ folder: folder.path });
  expect(await historyOf(restored)).toEqual(['before']);
  for (const event of ['one', 'two']) await publish(restored, 'room', event);
  const { credential } = await mint(restored, { channels: ['room'] });
  const inbox = subscribeResuming(restored.client({ token: credential }), EVENTS, { since: cursor });
  await inbox.until(({ events }) => events.length === 2);
  expect(inbox.events[1]).toMatchObject({ __typename: 'Gap', reason: 'POSITION_LOST' });
});
