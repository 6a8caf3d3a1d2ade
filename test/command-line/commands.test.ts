import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namedBlock } from '../support/code-blocks.ts';
import { createLineRunner, runProgram } from '../support/command-line-program.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const { run, json } = createLineRunner(() => service);

test('refuses secrets among the arguments, malformed values and missing settings with exit code 2', async () => {
  for (const [line, sentence] of [
    [`listen --credential ${API_KEY}`, 'Name a file with the credential, or “-” for standard input.'],
    ['issuer test eyJhbGciOiJIUzI1NiJ9.e30.x', 'Other users of this machine can read the arguments'],
    ['publish lobby said hello', 'DATA is not JSON.'],
    ['token create --expires-in soon', '“soon” is no duration.'],
    ['mute', 'exactly one of --token and --identity'],
    ['mute --token token_1 --until tomorrow', '“tomorrow” is no time.'],
    ['channel create x --type secret', '--type must be one of UNPROTECTED, PUBLIC, PRIVATE.'],
    ['channel create x --type public --kind stage', 'Pass either --type or --kind.'],
    ['channel create x --history-messages few', '--history-messages must be an integer'],
    ['channel update x', 'Pass at least one option that says what to change.'],
    ['token create --grant room:*', '“room:*” is no grant.'],
    ['token create --grant room:*=fly', 'An action of --grant must be one of SUBSCRIBE'],
    ['token update x --expires-in 1h --no-expires', 'Pass either --expires or --expires-in.'],
    ['token update x', 'Pass at least one option that says what to change.'],
    ['issuer update x', 'Pass at least one option that says what to change.'],
    ['issuer update x --claim role', '“role” names no claim.'],
    ['issuer update x --claim rank=x', 'The name in --claim must be one of identity'],
    ['issuer update x --algorithm HS256', '--algorithm must be one of RS256'],
    ['revocation create', 'Pass exactly one of --identity, --issuer and --all.'],
    ['revocation undo --all --identity ada', 'Pass exactly one of --identity, --issuer and --all.'],
    ['project settings on', 'SETTINGS is not JSON.'],
    ['project settings []', 'ProjectSettingsInput'],
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
