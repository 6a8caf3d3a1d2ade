import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { runCommand } from '../support/command-line.ts';
import { startProcess } from '../support/process.ts';
import { mountSmallDisk, requireSmallDisk } from '../support/small-disk.ts';

const publish = (number: number, size = 0) =>
  `mutation { publishMessage(channel: "room", event: "n", data: { n: ${number}, pad: "${'x'.repeat(size)}" }) { connections } }`;

test('while the disk of data and log is full every write is UNAVAILABLE, nothing acknowledged is lost, and writes work again after', async (context) => {
  requireSmallDisk(context);
  using disk = mountSmallDisk(8);
  const data = join(disk.path, 'data');
  mkdirSync(data);
  const log = join(disk.path, 'log');
  const stdout = openSync(log, 'a');
  await using service = await startProcess({
    folder: data,
    stdout,
    env: { SIGNALBOX_LOG_LEVEL: 'info', SIGNALBOX_AUDIT_LOG: 'on' },
  });
  closeSync(stdout);
  await createChannel(service, 'room', { history: { messages: 100 } });
  const { id: token } = await mint(service);
  const acknowledged: number[] = [];
  const publishNext = async (number: number, size: number) => {
    const { errors } = await service.ask(publish(number, size));
    if (!errors) acknowledged.push(number);
    return errors?.[0]?.extensions['code'];
  };
  await publishNext(0, 10);
  disk.fill();
  // The write-ahead log may have room left from before, so the first writes can succeed.
  let number = 1;
  while ((await publishNext(number++, 20_000)) === undefined) expect(number).toBeLessThan(500);

  const codes = new Set<unknown>();
  for (const mutation of [
    publish(number++, 20_000),
    `mutation { setChannelState(channel: "room", state: "${'x'.repeat(10_000)}") { id } }`,
    `mutation { createToken(input: { identity: "ada", connectionData: "${'x'.repeat(900)}" }) { credential } }`,
    `mutation { subscribeToken(channel: "room", token: "${token}") { createdAt } }`,
    `mutation { mute(channel: "room", token: "${token}") { createdAt } }`,
    `mutation { updateToken(id: "${token}", input: { connectionData: "${'y'.repeat(900)}" }) { id } }`,
    'mutation { createApiKey { __typename } }',
    'mutation { revokeTokens(identity: "ada") { __typename } }',
  ]) {
    for (let attempt = 0; attempt < 5; attempt++) {
      const { errors } = await service.ask(mutation);
      for (const { extensions, message } of errors ?? []) {
        if (extensions['code'] === 'GRAPHQL_VALIDATION_FAILED') throw new Error(message);
        codes.add(extensions['code']);
      }
    }
  }
  expect([...codes]).toEqual(['UNAVAILABLE']);
  const ready = await fetch(`${service.url}/ready`);
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('no space left')]);
  expect((await fetch(`${service.url}/health`)).status).toBe(200);

  disk.free();
  while ((await fetch(`${service.url}/ready`)).status !== 200);
  expect(await publishNext(number, 20_000)).toBeUndefined();
  const { channel } = await service.request(
    '{ channel(id: "room") { messages(last: 100) { nodes { data } } } }',
  );
  expect(channel.messages.nodes.map(({ data }: { data: { n: number } }) => data.n)).toEqual(acknowledged);

  // Lines that did not fit are lost and counted; those after them are whole.
  const lines = () => readFileSync(log, 'utf8').trimEnd().split('\n');
  for (let count = 0; !lines().some((line) => line.includes('were dropped')); count++) {
    expect(count).toBeLessThan(1000);
    await service.request('mutation { createToken { credential } }');
  }
  expect(() => JSON.parse(lines().at(-1) ?? '') as unknown).not.toThrow();
});

test('a start on a full disk ends with an error message about the disk', async (context) => {
  requireSmallDisk(context);
  using disk = mountSmallDisk(1);
  disk.fill();
  const { code, output } = await runCommand([], { SIGNALBOX_DATA: join(disk.path, 'data'), PORT: '0' });
  expect([code, output]).toEqual([1, expect.stringContaining('has no space left')]);
  expect(output).not.toMatch(/^\s+at /m);
});
