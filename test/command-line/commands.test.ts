import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namedBlock } from '../support/code-blocks.ts';
import { read } from '../support/documents.ts';
import { runProgram } from '../support/command-line-program.ts';
import { createFolder } from '../support/folder.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const run = (line: string, options?: Parameters<typeof runProgram>[2]) =>
  runProgram(service, line.split(' '), options);
/** The JSON values that a command prints with `--json`. */
const json = async (line: string, options?: Parameters<typeof runProgram>[2]): Promise<any[]> =>
  (await run(`${line} --json`, options)).lines.map((text) => JSON.parse(text));
const one = async (line: string) => (await json(line))[0];

test('creates, lists, shows, renews and revokes tokens', async () => {
  await run('channel create tokens:1');
  const created = await one(
    'token create --identity ada --channel tokens:1 --expires-in 12h --role subscriber --state {"seat":1}',
  );
  expect(created).toMatchObject({ token: { identity: 'ada', role: 'SUBSCRIBER', state: { seat: 1 } } });
  const seconds = (Date.parse(created.token.expiresAt) - Date.parse(created.token.createdAt)) / 1_000;
  expect(Math.round(seconds)).toBe(12 * 3_600);
  const id = created.token.id as string;
  expect(await json('token list --identity ada --offline')).toMatchObject([{ id }]);
  expect(await json('token list --identity ada --online')).toEqual([]);
  expect((await run('token list --identity ada')).lines).toEqual([
    expect.stringMatching(/^ID +IDENTITY +ROLE +ONLINE +EXPIRES$/),
    expect.stringMatching(new RegExp(`^${id} +ada +SUBSCRIBER +no +2`)),
  ]);
  const renewed = await one(`token renew ${id} --expires-in 30d`);
  expect(Date.parse(renewed.token.expiresAt)).toBeGreaterThan(Date.parse(created.token.expiresAt));
  expect(await one('token renew --identity ada')).toMatchObject({ token: { id } });
  expect(await run(`token revoke ${id}`)).toMatchObject({ code: 0, lines: [`Revoked ${id}.`] });
  expect((await run(`token show ${id}`)).lines).toContainEqual(expect.stringMatching(/^EXPIRES +revoked$/));
});

test('creates, lists, shows and deletes channels, and sets their state', async () => {
  expect(await one('channel create game:1 --type public --state {"round":1}')).toMatchObject({
    type: 'PUBLIC',
  });
  expect(await json('channel list --type public')).toMatchObject([{ id: 'game:1' }]);
  expect(await run('channel state game:1 {"round":2,"open":true} --if-version 1')).toMatchObject({
    lines: ['game:1 is at version 2.'],
  });
  expect(await run('channel state game:1 {} --if-version 1')).toMatchObject({ code: 1 });
  await run('channel state game:1 - --patch', { input: '{"open":null}\n' });
  expect((await run('channel state game:1')).lines).toEqual(['{"round":2}']);
  expect(await run('channel delete game:1')).toMatchObject({ lines: ['Deleted game:1.'] });
  expect(await run('channel show game:1')).toEqual({
    code: 4,
    lines: [],
    notes: ['There is no channel “game:1” in this project.'],
  });
});

test('subscribes tokens, publishes to them, shows them online, moderates and disconnects them', async () => {
  await run('channel create room:1');
  const { token, credential } = await one('token create --identity bob');
  const id = token.id as string;
  expect(await run('online --identity bob')).toMatchObject({ code: 1, lines: ['Offline.'] });
  const inbox = queueResults(
    service.client({ token: credential }),
    `subscription { events { __typename ... on ChannelMessage { message { event data } } ... on DirectMessage { message { event data } } ... on Restricted { restriction { reason } } ... on Disconnecting { note } } }`,
  );
  const next = async () => (await inbox.next()).events;
  expect(await next()).toMatchObject({ __typename: 'Connected' });
  expect(await run(`online --token ${id}`)).toMatchObject({ code: 0, lines: ['Online.'] });
  expect(await run(`subscribe room:1 ${id}`)).toMatchObject({ lines: [`${id} is subscribed to room:1.`] });
  expect(await next()).toMatchObject({ __typename: 'ChannelAvailable' });
  expect(await json('presence room:1')).toMatchObject([{ identity: 'bob', token: id }]);

  expect((await run('publish room:1 said {"text":"hi"}')).lines).toEqual([
    expect.stringMatching(/^Published msg_\w+ to 1 live connection\.$/),
  ]);
  expect(await next()).toMatchObject({ message: { event: 'said', data: { text: 'hi' } } });
  const message = (await json(`publish room:1 said`))[0].message.id as string;
  expect((await run(`explain --message ${message} --token ${id}`)).lines).toEqual([
    expect.stringMatching(/^Delivered: .* conn_\w+ at 2/),
  ]);
  expect(await run(`explain --message msg_none --token ${id}`)).toMatchObject({ code: 1 });
  expect(await run(`explain --message ${message}`)).toMatchObject({ code: 2 });
  await next();
  await run(`direct note "psst" --identity bob`);
  expect(await next()).toMatchObject({ __typename: 'DirectMessage', message: { data: 'psst' } });

  const explain = `explain --token ${id} --channel room:1 --action publish`;
  expect(await run(explain)).toMatchObject({
    code: 0,
    lines: [expect.stringMatching(/^Allowed \(ALLOWED\): /)],
  });
  expect(await one(`mute --token ${id} --channel room:1 --for 10m --reason flood`)).toMatchObject({
    kind: 'MUTE',
  });
  expect(await next()).toMatchObject({ restriction: { reason: 'flood' } });
  expect(await run(explain)).toMatchObject({
    code: 1,
    lines: [expect.stringMatching(/^Not allowed \(MUTED\): /)],
  });
  expect((await run(`unmute --token ${id} --channel room:1`)).lines).toEqual(['The mute is lifted.']);
  expect(await one(`ban --token ${id} --channel room:1 --until 2090-01-31T12:00:00Z`)).toMatchObject({
    kind: 'BAN',
  });
  expect((await run(`unban --token ${id} --channel room:1`)).lines).toEqual(['The ban is lifted.']);
  expect((await run(`unsubscribe room:1 ${id}`)).lines).toEqual([`${id} is no longer subscribed to room:1.`]);
  expect((await run('disconnect --identity bob --reason enough')).lines).toEqual(['Closed 1 connection.']);
});

test.each(['--json', ''])('listens with what “token create %s” printed', async (option) => {
  await run('channel create hall');
  const create = `token create --channel hall ${option}`.trim();
  const { lines } = await run(create);
  await run('publish hall said 1'); // before the token of the cursor below
  const { cursor } = await one('token create');
  await run('publish hall said 2');
  const listened = await run(`listen --credential - --since ${cursor} --count 1`, {
    input: `${lines.join('\n')}\n`,
  });
  expect(listened.lines.at(-1)).toMatch(/hall {2}said {2}\(backend\) {2}2$/);
});

test('an identity in place of the id of a token is named as such', async () => {
  await run('channel create guests');
  expect(await run('subscribe guests ada')).toEqual({
    code: 4,
    lines: [],
    notes: [
      'There is no token “ada” in this project. Pass the id of a token, which begins with “token_”, not an identity.',
    ],
  });
  expect((await run('subscribe guests token_none')).notes).toEqual([
    'There is no token “token_none” in this project.',
  ]);
});

test('a message without a receiver says that only one node counted', async () => {
  await run('channel create empty');
  expect((await run('publish empty said')).lines).toEqual([
    expect.stringMatching(/ to 0 live connections of the node that answered\.$/),
  ]);
});

test('publishes each line of an input, reports what is refused by its number, and repeats nothing with --key', async () => {
  await run('channel create lines');
  const input = '1\n\n{"two":2}\n"€uro"'; // without a line break at the end
  const published = await run('publish lines row - --key import', { input });
  expect(published).toEqual({ code: 0, lines: [], notes: ['Published 3 messages; 0 were refused.'] });
  expect(await json('publish lines row - --key import --batch', { input })).toMatchObject([
    { repeated: true, message: { data: 1 } },
    { repeated: true, message: { data: { two: 2 } } },
    { repeated: true, message: { data: '€uro' } },
  ]);
  const large = `1\n"${'x'.repeat(40_000)}"\n3\n`;
  const refused = await run('publish lines row - --batch', { input: large });
  expect(refused).toMatchObject({ code: 1, lines: [] });
  expect(refused.notes).toEqual([
    expect.stringMatching(/^Line 2: .*\(PAYLOAD_TOO_LARGE\)$/),
    'Published 2 messages; 1 were refused.',
  ]);
  const broken = await run('publish lines row -', { input: '7\nseven\n' });
  expect(broken).toMatchObject({
    code: 2,
    notes: ['Published 1 message; 0 were refused.', expect.stringContaining('Line 2 is not JSON.')],
  });
});

test('manages API keys and issuers, and tests a credential of an issuer', async () => {
  const { apiKey, secret } = await one(
    'keys create --name reports --scope read --scope publish --channels news:*',
  );
  expect(apiKey).toMatchObject({ name: 'reports', scopes: ['READ', 'PUBLISH'], channels: 'news:*' });
  expect(secret).toMatch(`${apiKey.id}.`);
  expect((await json('keys list')).map(({ id }) => id)).toContain(apiKey.id);
  expect(JSON.stringify(await json('keys list'))).not.toContain(secret);
  const successor = await one(`keys rotate ${apiKey.id} --overlap 0s`);
  expect(await run(`keys revoke ${successor.apiKey.id}`)).toMatchObject({ code: 0 });
  expect(await run('token list', { env: { SIGNALBOX_API_KEY: successor.secret } })).toMatchObject({
    code: 3,
  });

  const input = 'the secret of a Stream app\n';
  expect(await json('issuer add stream --key app --secret -', { input })).toMatchObject([
    { kind: 'STREAM', keys: [{ id: 'app' }] },
  ]);
  const [{ id: issuer }] = await json('issuer list');
  await run(`issuer add-key ${issuer} --key next --secret -`, { input });
  expect(await json(`issuer remove-key ${issuer} app --overlap 0s`)).toMatchObject([
    { keys: [{ id: 'next' }] },
  ]);
  expect(await run(`issuer remove ${issuer}`)).toMatchObject({ code: 0, lines: [`Removed ${issuer}.`] });
  expect(await json('issuer list')).toEqual([]);
  expect(await run('keys rotate-signing --overlap 1h')).toMatchObject({ code: 0 });
  const { credential } = await one('token create --identity eve');
  expect(await json('issuer test', { input: credential })).toMatchObject([{ token: { identity: 'eve' } }]);
  const foreign = `${credential.split('.').slice(0, 2).join('.')}.AAAA`;
  const refused = await run('issuer test -', { input: foreign });
  expect(refused).toMatchObject({ code: 3, lines: [] });
  expect(refused.notes.join()).not.toContain('eyJ');
});

test('refuses secrets among the arguments, malformed values and missing settings with exit code 2', async () => {
  for (const [line, sentence] of [
    [`listen --credential ${API_KEY}`, 'Name a file with the credential, or “-” for standard input.'],
    ['issuer test eyJhbGciOiJIUzI1NiJ9.e30.x', 'Other users of this machine can read the arguments'],
    ['publish lobby said hello', 'DATA is not JSON.'],
    ['token create --expires-in soon', '“soon” is no duration.'],
    ['mute', 'exactly one of --token and --identity'],
    ['mute --token token_1 --until tomorrow', '“tomorrow” is no time.'],
    ['channel create x --type secret', '--type must be one of UNPROTECTED, PUBLIC, PRIVATE.'],
    ['listen', 'With an API key, name the channels'],
    ['token list --profile nowhere', 'There is no profile “nowhere”'],
    ['token list --profile ../x', 'The name of a profile'],
    ['issuer add stream --key app', 'Pass --key, and --secret'],
    ['completion tcsh', 'The shell must be bash, zsh or fish.'],
    ['tokn list', "unknown command 'tokn'"],
    ['ban --identity ada', 'Run “signalbox ban --help” for the options.'],
    ['token revoke', 'Run “signalbox token revoke --help” for the options.'],
    ['token crate', 'Run “signalbox token --help” for its commands.'],
  ] as const) {
    const { code, lines, notes } = await run(line);
    expect({ code, lines }, line).toEqual({ code: 2, lines: [] });
    expect(notes.join('\n')).toContain(sentence);
  }
  const { code, notes } = await run('token list', { env: { SIGNALBOX_API_KEY: '' } });
  expect({ code, notes }).toMatchObject({
    code: 2,
    notes: [expect.stringContaining('There is no API key.')],
  });
});

test('writes a profile that only its owner may read, and uses it', async () => {
  using folder = createFolder();
  const env = { XDG_CONFIG_HOME: folder.path };
  const file = join(folder.path, 'signalbox', 'staging.json');
  expect(
    await run(`profile write staging --url ${service.url} --key -`, { env, input: `${API_KEY}\n` }),
  ).toEqual({
    code: 0,
    lines: [`Wrote ${file}.`],
    notes: [],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const away = { ...env, SIGNALBOX_URL: 'http://127.0.0.1:1', SIGNALBOX_API_KEY: '' };
  expect(await run('channel list --profile staging', { env: away })).toMatchObject({ code: 0 });
  expect(await json('profile list', { env })).toEqual([{ name: 'staging', url: service.url }]);
  for (const args of [
    'profile write ../x',
    'profile write x --url ftp://x',
    `profile write x --key ${API_KEY}`,
  ])
    expect(await run(args, { env })).toMatchObject({ code: 2, lines: [] });
});

test('prints control characters of users as escapes, in tables and in JSON', async () => {
  await run('channel create unsafe');
  await service.request(
    `mutation ($state: JSON!) { setChannelState(channel: "unsafe", state: $state) { id } }`,
    { state: { text: '\u001b[2J\u009b31m\u202e' } },
  );
  const escaped = '{"text":"\\u001b[2J\\u009b31m\\u202e"}';
  expect((await run('channel state unsafe')).lines).toEqual([escaped]);
  expect((await run('channel show unsafe')).lines).toContain(`STATE    ${escaped}`);
  expect(await json('channel show unsafe')).toMatchObject([{ state: { text: '\u001b[2J\u009b31m\u202e' } }]);
});

test('stats shows the figures of the node, and those of the last minutes', async () => {
  expect(await one('stats --project default')).toMatchObject({
    project: 'default',
    totals: { publishes: expect.any(Number), refusals: expect.any(Array) },
  });
  expect((await run('stats')).lines).toContainEqual(expect.stringMatching(/^PUBLISHES +[1-9]\d*$/));
  expect((await run('stats --minutes 5')).lines[0]).toMatch(/^END OF STEP +CONNECTIONS +PUBLISHES/);
  expect(await run('stats --minutes 61')).toMatchObject({ code: 2 });
});

test('activity prints what happens until it has printed as many lines as it should', async () => {
  const done = new AbortController();
  const watching = json('activity --kind channel --count 1').finally(() => done.abort());
  for (let number = 0; !done.signal.aborted; number++) await run(`channel create watched:${number}`);
  expect(await watching).toMatchObject([
    { action: 'channel.create', subject: expect.stringMatching(/^watched:/) },
  ]);
  expect(await run('activity --kind skipped')).toMatchObject({ code: 2 });
});

test('a key with the scope READ lists and shows, and every other command is refused with exit code 3', async () => {
  await run('channel create read:1');
  const { token } = await one('token create --identity reader --channel read:1');
  const id = token.id as string;
  const { apiKey, secret } = await one('keys create --scope read');
  const [{ id: issuer }] = await json('issuer add stream --key read --secret -', {
    input: 'a secret of Stream',
  });
  const permitted = [
    ...['token list', `token show ${id}`, 'channel list', 'channel show read:1', 'channel state read:1'],
    ...[`online --token ${id}`, 'presence read:1', 'stats', 'issuer list'],
    `explain --token ${id} --channel read:1 --action subscribe`,
  ];
  const refused = [
    ...['token create', `token revoke ${id}`, `token renew ${id}`],
    ...['channel create', 'channel delete read:1', 'channel state read:1 {}'],
    ...[`subscribe read:1 ${id}`, `unsubscribe read:1 ${id}`],
    ...['publish read:1 said', `direct said --token ${id}`, 'bench --subscribers 1 --messages 1'],
    ...['mute', 'unmute', 'ban', 'unban'].map((verb) => `${verb} --token ${id} --channel read:1`),
    ...[`disconnect --token ${id}`, 'keys list', 'keys create', `keys rotate ${apiKey.id}`],
    ...['keys rotate-signing', `keys revoke ${apiKey.id}`],
    ...['issuer add stream --key two --secret -', `issuer remove ${issuer}`],
    ...[`issuer add-key ${issuer} --key two --secret -`, `issuer remove-key ${issuer} read`],
  ];
  const options = { env: { SIGNALBOX_API_KEY: secret }, input: 'a secret of Stream' };
  for (const line of permitted) expect([line, (await run(line, options)).code]).not.toEqual([line, 3]);
  for (const line of refused) {
    const { code, lines, notes } = await run(line, options);
    expect([line, code, lines]).toEqual([line, 3, []]);
    expect(notes.join(), line).toMatch(/lacks the scope/);
  }
  expect(await json('channel list')).toContainEqual(expect.objectContaining({ id: 'read:1', version: 1 }));
  expect(await json('issuer list')).toMatchObject([{ id: issuer, keys: [{ id: 'read' }] }]);
  await run(`issuer remove ${issuer}`);

  // These watch until they are interrupted, or need no API key.
  const others =
    'listen, activity, issuer test, doctor, completion, profile write, profile list, backup, restore, check';
  const documented = [...read('docs/reference/command-line.md').matchAll(/^## `signalbox (.+)`$/gm)]
    .map(([, name = '']) => name)
    .filter((name, _, all) => !all.some((other) => other.startsWith(`${name} `)));
  const nameOf = (line: string) => documented.find((name) => `${line} `.startsWith(`${name} `));
  expect(new Set([...permitted, ...refused, ...others.split(', ')].map(nameOf))).toEqual(new Set(documented));
});

test('bench measures every delivery and leaves no channel behind', async () => {
  expect(await one('bench --subscribers 5 --messages 10')).toMatchObject({ deliveries: 50 });
  expect((await json('channel list')).filter(({ id }) => id.startsWith('bench:'))).toEqual([]);
});

test('the main job of the guide works line by line', async () => {
  await using fresh = await startService();
  let tokenId = '';
  const lines = namedBlock('docs/guides/command-line.md', 'main-job.sh').trim().split('\n');
  for (const line of lines) {
    const words = [...line.matchAll(/'([^']*)'|"\$TOKEN"|(\S+)/g)].map(
      ([, quoted, word]) => quoted ?? word ?? tokenId,
    );
    const { code, lines: printed } = await runProgram(fresh, words.slice(1));
    expect({ line, code }).toEqual({ line, code: 0 });
    tokenId = /^TOKEN +(\S+)$/m.exec(printed.join('\n'))?.[1] ?? tokenId;
  }
  expect(lines).toHaveLength(6);
});
