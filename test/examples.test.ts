import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel } from './support/backend.ts';
import { read } from './support/documents.ts';
import { startProcess, type RunningProcess } from './support/process.ts';
import { API_KEY, startService } from './support/service.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What every example says, to the line. */
const EXAMPLES: Record<string, string[]> = {
  hop: [
    'The token is online.',
    'It may not subscribe itself to a private channel.',
    "The backend subscribed it: { id: 'hop-game', state: { round: 1 } }",
    'It heard SCORE: { points: 7 }',
    'It alone heard PSST: you win',
    'The state is now: { round: 2 }',
    'Online in the channel: 1',
    'It was told why it ends: TOKEN_REVOKED',
  ],
  stream: [
    'Token 1 is fetched.',
    'ada is online.',
    "ada said: { text: 'hello' }",
    'Directly: for ada alone',
    'The token ends: TOKEN_EXPIRED',
    'Token 2 is fetched.',
    "Resumed: { text: 'said while ada was away' }",
    'ada hears on, with token 2',
  ],
  twilio: [
    'ada is connected.',
    'Renewed on the same connection.',
    'The idle tab ends: TOKEN_EXPIRED',
    'The document is now: { done: true }',
    'ada is typing.',
    'Directly: for ada',
    'ada is still online.',
  ],
  opentok: [
    'Three are in the session.',
    'The subscriber heard: hello from name=publisher',
    'It may not signal itself.',
    'The publisher alone heard: quiet please',
    'It was muted: too loud',
    'It was disconnected: enough',
    'The subscriber’s token ends: TOKEN_EXPIRED',
    'With the next token it heard: welcome back',
  ],
  signalbox: [
    "ada hears [ 'signalbox-news' ]",
    "Renewed; ada may [ 'SUBSCRIBE', 'PRESENCE' ]",
    'ada heard: rain',
    'Directly: umbrella',
    'ada is online.',
  ],
};

interface Run {
  code: number | null;
  lines: string[];
  complaints: string;
}

/** Runs a script to its end, with nothing but `env`. */
async function run(args: string[], env: Record<string, string>): Promise<Run> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [said, complaints] = [child.stdout, child.stderr].map((stream) =>
    stream.setEncoding('utf8').toArray(),
  );
  const [code] = await once(child, 'close');
  const text = (await said)!.join('');
  return { code, lines: text.split('\n').filter(Boolean), complaints: (await complaints)!.join('') };
}

const settingsFor = ({ url }: RunningProcess) => ({ SIGNALBOX_URL: url, SIGNALBOX_API_KEY: API_KEY });
const runExample = (name: string, env: Record<string, string>) =>
  run(['--import', 'tsx', `examples/${name}.ts`], env);

let service: RunningProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

test.each(Object.entries(EXAMPLES))(
  'the example %s does what it says, and does it again',
  async (name, lines) => {
    const done = { code: 0, lines, complaints: '' };
    expect(await runExample(name, settingsFor(service))).toEqual(done);
    expect(await runExample(name, settingsFor(service))).toEqual(done);
  },
);

test.each(['SIGNALBOX_URL', 'SIGNALBOX_API_KEY'])('an example that lacks %s says so', async (name) => {
  const settings = { ...settingsFor(service), [name]: '' };
  const { code, lines, complaints } = await runExample('hop', settings);
  expect({ code, lines }).toEqual({ code: 1, lines: [] });
  expect(complaints).toMatch(new RegExp(`^Set ${name}, for example to \\S+`));
});

test('an example fails when what it waits for does not come', async () => {
  await using silent = await startProcess({ env: { SIGNALBOX_EXPIRY_WARNING_SECONDS: '0' } });
  const { code, lines, complaints } = await runExample('signalbox', settingsFor(silent));
  expect({ code, lines }).toEqual({ code: 1, lines: EXAMPLES['signalbox']!.slice(0, 1) });
  expect(complaints).toMatch('TokenExpiring has not come in');
});

test('an example fails when its backend signs with a secret that Signalbox does not know', async () => {
  await using other = await startProcess();
  await other.request(
    `mutation { createIssuer(input: { kind: STREAM, key: { id: "other", secret: "another one" } }) { id } }`,
  );
  const { code, lines, complaints } = await runExample('stream', settingsFor(other));
  expect({ code, lines }).toEqual({ code: 1, lines: ['Token 1 is fetched.'] });
  expect(complaints).toMatch('Connected cannot come: 4401');
  expect(complaints).not.toMatch('eyJ');
});

test('the README’s example signs a credential that opens a connection', async () => {
  await using own = await startService();
  await createChannel(own, 'news');
  const [block = '', ...more] = [...read('README.md').matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text)
    .filter((text) => text.includes('SignJWT'));
  expect(more).toEqual([]);
  // Where it finds the packages of this project, as it does in the reader's copy of it.
  const scripts = mkdtempSync(join(ROOT, 'node_modules', '.examples-'));
  try {
    writeFileSync(join(scripts, 'sign.mjs'), block);
    const { code, lines } = await run([join(scripts, 'sign.mjs')], { KEY: API_KEY });
    expect(code).toBe(0);
    const { viewer } = await own.request(
      `{ viewer { token { identity role expiresAt } channels { nodes { id } } } }`,
      {},
      lines[0],
    );
    expect(viewer).toEqual({
      token: { identity: 'ada', role: 'SUBSCRIBER', expiresAt: expect.any(String) },
      channels: { nodes: [{ id: 'news' }] },
    });
  } finally {
    rmSync(scripts, { recursive: true });
  }
});
