import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { runCommand, runOnTerminal, startCommand } from '../support/command-line.ts';
import { runProgram } from '../support/command-line-program.ts';
import { createFolder } from '../support/folder.ts';
import { createProxy, type Proxy } from '../support/proxy.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

let service: TestService;
let proxy: Proxy;
let env: Record<string, string>;
beforeAll(async () => {
  service = await startService();
  proxy = await createProxy(Number(new URL(service.url).port));
  env = { SIGNALBOX_URL: `http://127.0.0.1:${proxy.port}`, SIGNALBOX_API_KEY: API_KEY };
  await createChannel(service, 'lobby');
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const publish = (data: unknown) => runProgram(service, ['publish', 'lobby', 'said', JSON.stringify(data)]);

test('results go to standard output, notes to standard error, and input comes from a pipe', async () => {
  const { code, stdout, output } = await runCommand(
    ['publish', 'lobby', 'row', '-', '--json'],
    env,
    '1\n2\n',
  );
  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).message.data),
  ).toEqual([1, 2]);
  expect(output).toContain('Published 2 messages; 0 were refused.');
  expect(stdout).not.toContain('Published');
});

test('exits with the documented codes', async () => {
  expect(await runCommand(['channel', 'show', 'nowhere'], env)).toEqual({
    code: 4,
    stdout: '',
    output: 'There is no channel “nowhere” in this project. (NOT_FOUND)\n',
  });
  expect(
    await runCommand(['online', '--token', 'token_1'], { ...env, SIGNALBOX_URL: 'http://127.0.0.1:1' }),
  ).toEqual({
    code: 5,
    stdout: '',
    output:
      'The service cannot be reached at http://127.0.0.1:1. (NETWORK_ERROR)\nIs the service running there? SIGNALBOX_URL or a profile says where it is.\n',
  });
  expect(await runCommand(['tokn'], env)).toMatchObject({
    code: 2,
    output: expect.stringContaining("unknown command 'tokn'"),
  });
});

test('listen as a client prints each message once and resumes by itself across cuts, then from its cursor', async () => {
  const { credential } = await mint(service, { identity: 'ada', channels: ['lobby'] });
  using folder = createFolder();
  const file = join(folder.path, 'ada.jwt');
  writeFileSync(file, `${credential}\n`);
  const args = ['listen', '--credential', file, '--json'];
  const ada = startCommand(args, { SIGNALBOX_URL: env['SIGNALBOX_URL'] ?? '' });
  await ada.until(/"Connected"/);
  await publish('before the cut');
  await ada.until(/before the cut/);
  proxy.cut();
  await publish('during the cut');
  await ada.until(/during the cut/);
  await publish('after the cut');
  await ada.until(/after the cut/);
  expect(await ada.interrupt()).toBe(0);
  const seen = [...ada.output.matchAll(/"data":"([^"]+)"/g)].map(([, text]) => text);
  expect(seen).toEqual(['before the cut', 'during the cut', 'after the cut']);
  const [, cursor = ''] = /Resume with --since (\S+)/.exec(ada.output) ?? [];
  await publish('while it was away');
  const resumed = await runProgram(service, [...args, '--since', cursor, '--count', '1']);
  expect(resumed.lines.map((line) => JSON.parse(line).message?.data).filter(Boolean)).toEqual([
    'while it was away',
  ]);
});

test('listen notes a lost connection once, and prints why the service closes it', async () => {
  const { credential } = await mint(service, { identity: 'eve', channels: ['lobby'] });
  await using eve = startCommand(['listen'], { ...env, SIGNALBOX_CREDENTIAL: credential });
  await eve.until(/Connected {2}/);
  proxy.cut();
  // The event, not the note: before the subscription has begun again, it receives no reason.
  await eve.until(/Reconnecting …\n[^]*Connected {2}/);
  expect(eve.output.match(/Reconnecting/g)).toHaveLength(1);
  await runProgram(service, ['disconnect', '--identity', 'eve', '--reason', 'enough']);
  await eve.until(/Disconnecting {2}\{"reason":"DISCONNECTED","note":"enough"\}/);
});

test('activity begins with what happened last, and does not print it again after a cut', async () => {
  await publish('past');
  await using watching = startCommand(['activity', '--kind', 'message', '--recent', '1', '--json'], env);
  await watching.until(/"replayed":true/);
  proxy.cut();
  await watching.until(/Reconnecting …\n[^]*Connected/);
  for (let attempt = 0; attempt < 100 && !watching.output.includes('"replayed":false'); attempt++)
    await publish('live');
  await watching.until(/"replayed":false/);
  expect(watching.output.match(/"replayed":true/g)).toHaveLength(1);
});

test('listen with an API key follows channels, and a refusal ends it with the error message of the service', async () => {
  await using listening = startCommand(['listen', 'lobby'], env);
  await listening.until(/Connected\./);
  // The subscription begins after the acknowledgement; the first of these messages that arrives shows that it has.
  for (let attempt = 0; attempt < 100 && !listening.output.includes('"live"'); attempt++)
    await publish('live');
  await listening.until(/lobby {2}said {2}\(backend\) {2}"live"/);
  const refused = await runProgram(service, ['listen', 'nowhere']);
  expect(refused).toMatchObject({ code: 4, lines: [] });
});

test('bench that is interrupted prints that and leaves no channel behind', async () => {
  const channels = async () => (await runProgram(service, ['channel', 'list', '--json'])).lines.join();
  await using bench = startCommand(['bench', '--subscribers', '2', '--messages', '100000'], env);
  while (!(await channels()).includes('"bench:')) expect(bench.output).toBe('');
  expect(await bench.interrupt()).toBe(1);
  expect(bench.output).toBe('Interrupted; the channel of the measurement is deleted.\n');
  expect(await channels()).not.toContain('"bench:');
});

test('a profile is read when it is private, and refused when others can read it', async () => {
  using folder = createFolder();
  mkdirSync(join(folder.path, 'signalbox'));
  const file = join(folder.path, 'signalbox', 'default.json');
  writeFileSync(file, JSON.stringify({ url: service.url, apiKey: API_KEY }), { mode: 0o600 });
  const home = { XDG_CONFIG_HOME: folder.path };
  expect(await runCommand(['channel', 'list', '--json'], home)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"lobby"'),
  });
  chmodSync(file, 0o640);
  const { code, output } = await runCommand(['channel', 'list'], home);
  expect(code).toBe(2);
  expect(output).toContain(`Others can read ${file}, which holds an API key. Run: chmod 600`);
  expect(output).not.toContain(API_KEY);
});

const hasScript = spawnSync('script', ['--version']).status === 0;
test.skipIf(!hasScript && process.env['REQUIRE_SERVERS'] !== '1')(
  'a terminal shows a progress bar, a pipe shows none',
  async () => {
    using folder = createFolder();
    const file = join(folder.path, 'rows.jsonl');
    writeFileSync(file, Array.from({ length: 2_000 }, (_, row) => `${row}\n`).join(''));
    const args = ['publish', 'lobby', 'row', '--file', file, '--batch'];
    const shown = await runOnTerminal(args, env);
    expect(shown).toMatch(/\[#+ *\] \d+ % {2}\d+ messages {2}\d+\/s {2}\d+ s left/);
    expect(shown).toMatch(/Published 2000 messages; 0 were refused\./);
    const { output } = await runCommand(args, env);
    expect(output).toBe('Published 2000 messages; 0 were refused.\n');
  },
);

test('the completion for bash completes commands and options', async () => {
  const { lines } = await runProgram(service, ['completion', 'bash']);
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${lines.join('\n')}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _signalbox; echo "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ],
      { encoding: 'utf8' },
    ).trim();
  expect(complete('signalbox', 'tok')).toBe('token');
  expect(complete('signalbox', 'token', 're')).toBe('revoke renew');
  expect(complete('signalbox', 'token', 'create', '--id')).toBe('--identity');
  expect(complete('signalbox', 'publish', 'lobby', 'said', '--ba')).toBe('--batch');
});

/** Types each line and a tab into an interactive zsh, and prints what stands on the line then. */
const TYPE_INTO_ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "autoload -U compinit && compinit -u -D; source $1; PROMPT=; bindkey -e; show() { print -r -- \\"LINE:\\$BUFFER:END\\"; BUFFER= }; zle -N show; bindkey '^X' show; print READY-\\$((1+1))"
zpty -r shell out '*READY-2*'
for line in "\${@:2}"; do
  zpty -n -w shell "$line"$'\\t\\x18'
  zpty -r shell out '*LINE:*:END*'
  print -r -- "\${\${out##*LINE:}%%:END*}"
done`;

/** Whether the tests of a shell are skipped: it is missing, and `REQUIRE_SERVERS=1` does not forbid it. */
function skips(shell: string): boolean {
  if (process.env['REQUIRE_SERVERS'] === '1' || spawnSync(shell, ['--version']).status === 0) return false;
  process.stderr.write(`The completion for ${shell} is not tested: install ${shell}.\n`);
  return true;
}

test.skipIf(skips('zsh'))('the completion for zsh completes commands, options and files', async () => {
  using folder = createFolder();
  const { lines } = await runProgram(service, ['completion', 'zsh']);
  const file = join(folder.path, 'signalbox.zsh');
  writeFileSync(file, lines.join('\n'));
  const typed = [
    'signalbox tok',
    'signalbox token rev',
    'signalbox publish lobby said --ba',
    'signalbox backup sig',
  ];
  const completed = execFileSync('zsh', ['-c', TYPE_INTO_ZSH, 'zsh', file, ...typed], {
    encoding: 'utf8',
    cwd: folder.path,
    // A shell that shows no line would be waited for without end, and vitest cannot interrupt it.
    timeout: 60_000,
  });
  expect(completed.split('\n').map((line) => line.trim())).toEqual([
    'signalbox token',
    'signalbox token revoke',
    'signalbox publish lobby said --batch',
    'signalbox backup signalbox.zsh',
    '',
  ]);
});

test.skipIf(skips('fish'))('the completion for fish completes commands, options and files', async () => {
  using folder = createFolder();
  const { lines } = await runProgram(service, ['completion', 'fish']);
  writeFileSync(join(folder.path, 'signalbox.fish'), lines.join('\n'));
  const complete = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source signalbox.fish; complete -C '${line}'`], {
      encoding: 'utf8',
      cwd: folder.path,
      env: { ...process.env, HOME: folder.path },
    })
      .trim()
      .split('\n');
  expect(complete('signalbox tok')).toEqual(['token']);
  expect(complete('signalbox token re')).toEqual(['renew', 'revoke']);
  expect(complete('signalbox publish lobby said --ba')).toEqual(['--batch']);
  expect(complete('signalbox backup sig')).toEqual(['signalbox.fish']);
});
