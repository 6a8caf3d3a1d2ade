import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { runCommand } from '../support/command-line.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { numbers, publishNumbers } from '../support/publish.ts';
import { EVENTS, MESSAGES, subscribeResuming } from '../support/resuming-subscription.ts';

/** Stops a service, damages rows with `sql`, and starts it again with a log file. */
async function startDamaged(sql: string) {
  const folder = createFolder();
  let token: { id: string; credential: string; cursor: string };
  let narrowKey: string;
  let otherKey: string;
  {
    await using service = await startProcess({ folder: folder.path });
    for (const id of ['hall', 'room', 'yard']) await createChannel(service, id);
    token = await mint(service, { identity: 'ada', channels: ['room', 'yard'] });
    await mint(service);
    const keys = await service.request(
      `mutation { createApiKey(name: "narrow", scopes: [READ]) { secret } createProject(input: { id: "other" }) { secret } }`,
    );
    narrowKey = keys.createApiKey.secret;
    otherKey = keys.createProject.secret;
    await publishNumbers(service, 'room', 10);
    await publishNumbers(service, 'yard', 2);
    service.kill('SIGTERM');
    await service.exited;
  }
  const sqlite = new Database(join(folder.path, 'signalbox.sqlite'));
  sqlite.exec(sql);
  sqlite.close();
  const logFile = join(folder.path, 'log');
  const stdout = openSync(logFile, 'a');
  const service = await startProcess({
    folder: folder.path,
    stdout,
    env: { SIGNALBOX_LOG_LEVEL: 'error' },
  });
  closeSync(stdout);
  return {
    service,
    token,
    narrowKey,
    otherKey,
    folder: folder.path,
    readLog: () => readFileSync(logFile, 'utf8'),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test('a damaged state fails its own field only, and a new state repairs the channel', async () => {
  await using started = await startDamaged(`update channels set state = '{"broken' where id = 'room'`);
  const { service, token } = started;
  const list = '{ channels(first: 10) { nodes { id state } } }';
  const { data, errors } = await service.ask(list);
  expect(data.channels.nodes).toEqual([
    { id: 'hall', state: {} },
    { id: 'room', state: null },
    { id: 'yard', state: {} },
  ]);
  expect(errors).toMatchObject([
    { path: ['channels', 'nodes', 1, 'state'], extensions: { code: 'UNAVAILABLE' } },
  ]);
  const patched = await service.ask('mutation { patchChannelState(channel: "room", patch: {}) { id } }');
  expect(patched.errors?.[0]?.extensions['code']).toBe('UNAVAILABLE');
  const resumed = subscribeResuming(service.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await resumed.until(({ messages }) => messages.length === 12);
  await service.request('mutation { setChannelState(channel: "room", state: { mended: true }) { id } }');
  expect((await service.request(list)).channels.nodes[1]).toEqual({ id: 'room', state: { mended: true } });
});

test.each([
  ['data', `data = '{"broken'`],
  ['sender', `sender = 'broken'`],
])('a message with damaged %s is a Gap for a resuming inbox, and the log names it', async (_, assignment) => {
  await using started = await startDamaged(
    `update messages set ${assignment} where address = 'channel:room' and sequence = 4`,
  );
  const { service, token, readLog } = started;
  const inbox = subscribeResuming(service.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ messages }) => messages.length === 11);
  expect(inbox.messages.map(({ data }) => data as unknown)).toEqual([
    ...numbers(3),
    ...numbers(6, 4),
    ...numbers(2),
  ]);
  expect(inbox.events.filter(({ __typename }) => __typename === 'Gap')).toMatchObject([
    { channels: [{ id: 'room' }] },
  ]);
  const { channel } = await service.request(
    '{ channel(id: "room") { messages(last: 100) { nodes { data } } } }',
  );
  expect(channel.messages.nodes).toHaveLength(9);
  const stream = subscribeResuming(service.client({ token: token.credential }), MESSAGES, {
    since: token.cursor,
    channel: 'room',
  });
  await stream.until(({ messages }) => messages.length === 3).catch(() => undefined);
  while (!readLog().includes('channel:room, sequence 4'))
    await service.request('{ channel(id: "room") { messages(last: 100) { nodes { id } } } }');
});

const LIST_TOKENS = '{ tokens(first: 10) { nodes { id grants { channels } state } } }';

test('damaged grants and a damaged state fail only their own fields, allow nothing, are logged, and can be set again', async () => {
  await using started = await startDamaged(
    `update tokens set grants = '[{"chan', state = '{"no' where identity = 'ada'; update api_keys set scopes = '["RE' where name = 'narrow'`,
  );
  const { service, token, folder, readLog } = started;
  const { data, errors } = await service.ask(LIST_TOKENS);
  expect(data.tokens.nodes).toMatchObject([
    { id: token.id, grants: null, state: null },
    { grants: null, state: null },
  ]);
  expect(errors).toMatchObject([
    { path: ['tokens', 'nodes', 0, 'grants'], extensions: { code: 'UNAVAILABLE' } },
    { path: ['tokens', 'nodes', 0, 'state'], extensions: { code: 'UNAVAILABLE' } },
  ]);
  expect(errors?.[0]?.message).toContain(token.id);
  // Grants that cannot be read must not become those of the role.
  const room = '{ channel(id: "room") { id } }';
  expect((await service.ask(room, {}, token.credential)).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  // The keys of an API key neither: without scopes it would have all of them.
  expect((await service.ask(LIST_TOKENS, {}, started.narrowKey)).errors?.[0]?.extensions['code']).toBe(
    'FORBIDDEN',
  );
  expect(readLog()).toMatch(new RegExp(`${token.id}, grants`));
  const checked = await runCommand(['check'], { SIGNALBOX_DATA: folder });
  expect(checked.code).toBe(1);
  expect(checked.output).toMatch(/tokens/);
  expect(checked.output).toContain(token.id);
  await service.request(
    'mutation ($id: ID!) { updateToken(id: $id, input: { grants: null, state: {} }) { grants { channels } } }',
    { id: token.id },
  );
  expect((await service.ask(room, {}, token.credential)).errors).toBeUndefined();
});

test('damaged settings stop their project only, and can be set again', async () => {
  await using started = await startDamaged(`update projects set settings = '{"anon' where id = 'other'`);
  const { service } = started;
  const { data, errors } = await service.ask('{ projects(first: 10) { nodes { id settings { guests } } } }');
  expect(data.projects.nodes).toMatchObject([
    { id: 'default', settings: { guests: true } },
    { id: 'other', settings: null },
  ]);
  expect(errors).toMatchObject([
    { path: ['projects', 'nodes', 1, 'settings'], extensions: { code: 'UNAVAILABLE' } },
  ]);
  const guest = 'mutation { createToken(input: { identity: "eve" }) { credential } }';
  expect((await service.ask(guest, {}, started.otherKey)).errors?.[0]?.extensions['code']).toBe(
    'UNAVAILABLE',
  );
  await service.request(
    'mutation { updateProject(settings: { guests: false }) { settings { guests } } }',
    {},
    started.otherKey,
  );
  expect((await service.ask(guest, {}, started.otherKey)).errors).toBeUndefined();
});
