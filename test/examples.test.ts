import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProcess, type RunningProcess } from './support/process.ts';
import { API_KEY } from './support/service.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every line that each example prints. */
const EXAMPLES: Record<string, string[]> = {
  hop: [
    'The token is online.',
    'The token may not subscribe itself to a private channel.',
    "The backend subscribed the token: { id: 'hop-game', state: { round: 1 } }",
    'Received SCORE: { points: 7 }',
    'Received PSST directly: you win',
    'The state is now: { round: 2 }',
    'Online in the channel: 1',
    'Disconnected because: TOKEN_REVOKED',
  ],
  stream: [
    'Token 1 is fetched.',
    'ada is online.',
    "ada published: { text: 'hello' }",
    'Directly: for ada alone',
    'The token ended: TOKEN_EXPIRED',
    'Token 2 is fetched.',
    "Resumed: { text: 'published while ada was away' }",
    'Still receiving, with token 2',
  ],
  twilio: [
    'ada is connected.',
    'Renewed on the same connection.',
    'The idle tab was disconnected: TOKEN_EXPIRED',
    'The document is now: { done: true }',
    'ada is typing.',
    'Directly: for ada',
    'ada is still online.',
  ],
  opentok: [
    'Three clients are in the session.',
    'The subscriber received: hello from name=publisher',
    'The subscriber may not signal.',
    'The publisher alone received: quiet please',
    'The publisher was muted: too loud',
    'The publisher was disconnected: enough',
    'The subscriber’s token ended: TOKEN_EXPIRED',
    'Received with the next token: welcome back',
  ],
  signalbox: [
    "ada is subscribed to [ 'signalbox-news' ]",
    "Renewed; ada may [ 'SUBSCRIBE', 'PRESENCE' ]",
    'ada received: rain',
    'Directly: umbrella',
    'ada is online.',
  ],
};

interface ScriptResult {
  code: number | null;
  /** Lines on standard output. */
  lines: string[];
  /** Standard error. */
  errorOutput: string;
}

/** Runs a script until it exits, with no environment variable but `PATH` and those of `env`. */
async function runScript(args: string[], env: Record<string, string>): Promise<ScriptResult> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errorOutput] = [child.stdout, child.stderr].map((stream) =>
    stream.setEncoding('utf8').toArray(),
  );
  const [code] = await once(child, 'close');
  const text = (await output)!.join('');
  return { code, lines: text.split('\n').filter(Boolean), errorOutput: (await errorOutput)!.join('') };
}

const settingsFor = ({ url }: RunningProcess) => ({ SIGNALBOX_URL: url, SIGNALBOX_API_KEY: API_KEY });
const runExample = (name: string, env: Record<string, string>) =>
  runScript(['--import', 'tsx', `examples/${name}.ts`], env);

let service: RunningProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

// They wait for tokens that expire, so they share the time.
test.concurrent.each(Object.entries(EXAMPLES))(
  'the example %s prints its lines, and prints them again when it is run again',
  async (name, lines) => {
    const succeeded = { code: 0, lines, errorOutput: '' };
    expect(await runExample(name, settingsFor(service))).toEqual(succeeded);
    expect(await runExample(name, settingsFor(service))).toEqual(succeeded);
  },
);

test.each(['SIGNALBOX_URL', 'SIGNALBOX_API_KEY'])(
  'an example exits with a hint when %s is missing',
  async (name) => {
    const settings = { ...settingsFor(service), [name]: '' };
    const { code, lines, errorOutput } = await runExample('hop', settings);
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(errorOutput).toMatch(new RegExp(`^Set ${name}, for example to \\S+`));
  },
);

test('an example fails when an expected event does not arrive', async () => {
  await using other = await startProcess();
  // The idle tab then stays connected after its token has expired.
  await other.request(`mutation { updateProject(settings: { expiryGraceSeconds: 3600 }) { id } }`);
  const { code, lines, errorOutput } = await runExample('twilio', settingsFor(other));
  expect({ code, lines }).toEqual({ code: 1, lines: EXAMPLES['twilio']!.slice(0, 2) });
  expect(errorOutput).toMatch('The state ended has not arrived in 10 s.');
});

test('an example fails without printing its credential when its backend signs with an unknown secret', async () => {
  await using other = await startProcess();
  await other.request(
    `mutation { createIssuer(input: { kind: STREAM, key: { id: "other", secret: "another one" } }) { id } }`,
  );
  const { code, lines, errorOutput } = await runExample('stream', settingsFor(other));
  expect({ code, lines }).toEqual({ code: 1, lines: ['Token 1 is fetched.'] });
  expect(errorOutput).toMatch('UNAUTHENTICATED');
  expect(errorOutput).not.toMatch('eyJ');
});
