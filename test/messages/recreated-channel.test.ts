import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { numbers, publishTo } from '../support/publish.ts';
import { startService } from '../support/service.ts';

test('the first message of a channel that was deleted and created again has no previous message', async () => {
  await using signalbox = await startService();
  const previous: (string | null)[] = [];
  const cursors: (string | null)[] = [];
  for (const generation of numbers(3)) {
    await createChannel(signalbox, 'room');
    await createChannel(signalbox, `other-${generation}`);
    for (const channel of ['room', `other-${generation}`, 'room']) {
      const { message } = await publishTo(signalbox, { channel }, generation);
      if (channel !== 'room') continue;
      previous.push(message.previous);
      cursors.push(message.cursor);
    }
    if (generation === 1) await signalbox.service.retention.purge();
    await signalbox.request('mutation { deleteChannel(id: "room") { id } }');
  }
  expect(previous).toEqual([null, cursors[0], null, cursors[2], null, cursors[4]]);
});

test('Channel.messages shows no previous message of the first message of a channel that was deleted and created again', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await publishTo(signalbox, { channel: 'room' }, 'of the deleted channel');
  await signalbox.request('mutation { deleteChannel(id: "room") { id } }');
  await createChannel(signalbox, 'room');
  await publishTo(signalbox, { channel: 'room' }, 'first');
  await publishTo(signalbox, { channel: 'room' }, 'second');
  const { channel } = await signalbox.request(
    '{ channel(id: "room") { messages(first: 5) { nodes { data cursor previous } } } }',
  );
  const [first, second] = channel.messages.nodes;
  expect(first).toMatchObject({ data: 'first', previous: null });
  expect(second).toMatchObject({ data: 'second', previous: first.cursor });
});
