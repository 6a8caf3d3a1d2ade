import { chownSync, copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { runCommand } from '../support/command-line.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { mountSmallDisk, requireSmallDisk } from '../support/small-disk.ts';

const publish = (service: RunningProcess, data: unknown) =>
  service.request(
    'mutation ($data: JSON) { publishMessage(channel: "room", event: "e", data: $data) { message { cursor } } }',
    {
      data,
    },
  );

const history = async (service: RunningProcess): Promise<unknown[]> => {
  const { channel } = await service.request(
    '{ channel(id: "room") { messages(last: 100) { nodes { data } } } }',
  );
  return channel.messages.nodes.map(({ data }: { data: unknown }) => data);
};

const viewerWith = async (service: RunningProcess, credential: string) => {
  const { data, errors } = await service.ask('{ viewer { kind } }', {}, credential);
  return errors?.[0]?.extensions['code'] ?? data.viewer.kind;
};

async function stop(service: RunningProcess): Promise<void> {
  service.kill('SIGTERM');
  await service.exited;
}

/** A folder whose service was backed up after message 2, and published message 3 after that. */
async function backedUp(
  after: (service: RunningProcess, tokens: { id: string; credential: string }[]) => Promise<void>,
) {
  const folder = createFolder();
  const env = { SIGNALBOX_DATA: folder.path };
  const file = join(folder.path, 'copy.sqlite');
  const service = await startProcess({ folder: folder.path });
  await createChannel(service, 'room');
  const tokens = [
    await mint(service, { channels: ['room'], identity: 'ada' }),
    await mint(service, { identity: 'ben' }),
  ];
  for (const data of [1, 2]) await publish(service, data);
  expect(await runCommand(['backup', file], env)).toMatchObject({ code: 0 });
  await publish(service, 3);
  await after(service, tokens);
  await stop(service);
  await service[Symbol.asyncDispose]();
  return { folder, env, file, tokens, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test('restore puts the backup in place and prints what it undoes', async () => {
  using state = await backedUp(async () => undefined);
  const ownFiles = ['signalbox.sqlite', 'lock.sqlite'].map((name) => join(state.folder.path, name));
  const owner = process.getuid?.() === 0 ? 65_534 : process.getuid?.();
  // As on a server, where root restores the store of the user of the service.
  if (owner === 65_534) for (const file of ownFiles) chownSync(file, owner, owner);
  const { code, output } = await runCommand(['restore', state.file], state.env);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(ownFiles.map((file) => statSync(file).uid)).toEqual([owner, owner]);
  expect(output).toContain('Undone in project default: 1 message, 0 new tokens, 0 new channels.');
  await using service = await startProcess({ folder: state.folder.path });
  expect(await history(service)).toEqual([1, 2]);
  const kept = readdirSync(state.folder.path).filter((name) => name.includes('.replaced-'));
  expect(kept.length).toBeGreaterThan(0);
  expect(existsSync(join(state.folder.path, 'restoring'))).toBe(false);
});

test('a token that was revoked after the backup stays revoked after its restore', async () => {
  using state = await backedUp((service, [ada]) => revokeToken(service, ada!.id));
  expect(await runCommand(['restore', state.file], state.env)).toMatchObject({
    code: 0,
    output: expect.stringContaining('revoked tokens 1'),
  });
  await using service = await startProcess({ folder: state.folder.path });
  expect(await viewerWith(service, state.tokens[0]!.credential)).toBe('TOKEN_REVOKED');
  expect(await viewerWith(service, state.tokens[1]!.credential)).toBe('TOKEN');
});

test('a revocation of an identity, a ban and an ended membership survive the restore', async () => {
  using state = await backedUp(async (service, [ada]) => {
    await service.request('mutation { revokeTokens(identity: "ben") { connections } }');
    await service.request(
      'mutation ($t: ID!) { unsubscribeToken(channel: "room", token: $t) { createdAt } }',
      { t: ada!.id },
    );
    await service.request('mutation ($t: ID!) { ban(channel: "room", token: $t) { id } }', { t: ada!.id });
  });
  expect(await runCommand(['restore', state.file], state.env)).toMatchObject({ code: 0 });
  await using service = await startProcess({ folder: state.folder.path });
  expect(await viewerWith(service, state.tokens[1]!.credential)).toBe('TOKEN_REVOKED');
  const { channel, restrictions } = await service.request(
    '{ channel(id: "room") { tokens { nodes { id } } } restrictions(channel: "room") { nodes { kind } } }',
  );
  expect(channel.tokens.nodes).toEqual([]);
  expect(restrictions.nodes).toEqual([{ kind: 'BAN' }]);
});

test('restore requires a policy for revoked credentials when the replaced store is lost, and applies it', async () => {
  using state = await backedUp((service, [ada]) => revokeToken(service, ada!.id));
  for (const name of readdirSync(state.folder.path))
    if (name.startsWith('signalbox.sqlite')) rmSync(join(state.folder.path, name));
  const refused = await runCommand(['restore', state.file], state.env);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('--revoke-issued-before') });
  expect(existsSync(join(state.folder.path, 'signalbox.sqlite'))).toBe(false);
  expect(await runCommand(['restore', state.file, '--revoke-issued-before', 'now'], state.env)).toMatchObject(
    { code: 0 },
  );
  await using service = await startProcess({ folder: state.folder.path });
  for (const { credential } of state.tokens)
    expect(await viewerWith(service, credential)).toBe('TOKEN_REVOKED');
});

test('restore of a store that was copied by hand includes its write-ahead log', async () => {
  using folder = createFolder();
  using copied = createFolder();
  const file = join(copied.path, 'signalbox.sqlite');
  {
    await using service = await startProcess({ folder: folder.path });
    await createChannel(service, 'room');
    for (const data of [1, 2]) await publish(service, data);
    for (const suffix of ['', '-wal'])
      copyFileSync(join(folder.path, `signalbox.sqlite${suffix}`), file + suffix);
    await publish(service, 3);
    await stop(service);
  }
  rmSync(join(folder.path, 'lock.sqlite'));
  const { code, output } = await runCommand(['restore', file], { SIGNALBOX_DATA: folder.path });
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('Undone in project default: 1 message, 0 new tokens, 0 new channels.');
  expect(output).toContain('Project default: 2 messages, head of the log 2.');
  for (const name of readdirSync(folder.path))
    expect([name, (statSync(join(folder.path, name)).mode & 0o777).toString(8)]).toEqual([name, '600']);
});

test('restore on a full disk ends with an error message and leaves the store as it was', async (context) => {
  requireSmallDisk(context);
  using disk = mountSmallDisk(2);
  using folder = createFolder();
  const file = join(folder.path, 'copy.sqlite');
  {
    await using service = await startProcess({ folder: disk.path });
    await createChannel(service, 'room');
    await stop(service);
  }
  const env = { SIGNALBOX_DATA: disk.path };
  expect(await runCommand(['backup', file], env)).toMatchObject({ code: 0 });
  const before = readdirSync(disk.path);
  // Enough for the lock, not for the copy.
  disk.fill(65_536);
  const { code, output } = await runCommand(['restore', file], env);
  expect({ code, output }).toEqual({
    code: 1,
    output: `The data folder ${disk.path} has no space left. Free some space and start again.\n`,
  });
  disk.free();
  expect(readdirSync(disk.path)).toEqual(before);
  expect(await runCommand(['check'], env)).toMatchObject({ code: 0 });
});

test('restore refuses while a service uses the folder, and changes nothing', async () => {
  using state = await backedUp(async () => undefined);
  await using service = await startProcess({ folder: state.folder.path });
  const { code, output } = await runCommand(['restore', state.file], state.env);
  expect(code).toBe(1);
  expect(output).toContain('in use');
  expect(await history(service)).toEqual([1, 2, 3]);
});

test('restore after a kill -9 leaves no write-ahead log of the replaced store behind', async () => {
  using state = await backedUp(async () => undefined);
  {
    await using killed = await startProcess({ folder: state.folder.path });
    await publish(killed, 4);
    killed.kill('SIGKILL');
    await killed.exited;
  }
  expect(existsSync(join(state.folder.path, 'signalbox.sqlite-wal'))).toBe(true);
  const { output } = await runCommand(['restore', state.file], state.env);
  expect(output).toContain('2 messages');
  expect(existsSync(join(state.folder.path, 'signalbox.sqlite-wal'))).toBe(false);
  await using service = await startProcess({ folder: state.folder.path });
  expect(await history(service)).toEqual([1, 2]);
  expect(await runCommand(['check'], state.env)).toMatchObject({ code: 0 });
});

test('a cursor from after the backup is POSITION_LOST for ever, and one from before is kept', async () => {
  let undone = '';
  using state = await backedUp(async (service) => {
    undone = (await publish(service, 4)).publishMessage.message.cursor;
  });
  expect(await runCommand(['restore', state.file], state.env)).toMatchObject({ code: 0 });
  await using service = await startProcess({ folder: state.folder.path });
  const before = await service.request('{ channel(id: "room") { messages(last: 1) { nodes { cursor } } } }');
  const kept = before.channel.messages.nodes[0].cursor;
  const pageAfter = (cursor: string) =>
    service.ask(
      'query ($c: Cursor) { channel(id: "room") { messages(first: 100, after: $c) { nodes { data } } } }',
      {
        c: cursor,
      },
    );
  const firstEvents = async (since: string) => {
    const client = service.client({ token: state.tokens[0]!.credential });
    const events = client.iterate<any>({
      query:
        'subscription ($since: Cursor) { events(since: $since) { __typename ... on Gap { reason } ... on ChannelMessage { message { data } } } }',
      variables: { since },
    });
    const seen = [(await events.next()).value.data.events, (await events.next()).value.data.events];
    await events.return?.(undefined);
    return seen;
  };
  // Before anything is published, and when the log has grown past the cursor.
  for (const published of [0, 60]) {
    for (let number = 0; number < published; number++) await publish(service, `new ${number}`);
    expect((await pageAfter(undone)).errors?.[0]?.extensions['code']).toBe('POSITION_LOST');
    expect((await firstEvents(undone))[1]).toEqual({ __typename: 'Gap', reason: 'POSITION_LOST' });
  }
  expect((await pageAfter(kept)).data.channel.messages.nodes).toHaveLength(60);
  expect((await firstEvents(kept))[1]).toEqual({ __typename: 'ChannelMessage', message: { data: 'new 0' } });
});
