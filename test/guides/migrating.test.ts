import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { WebSocket } from 'ws';
import { createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { API_KEY, startService } from '../support/service.ts';

/** What the code of the pages finds in its environment: your page and your backend. */
interface Surroundings {
  WebSocket?: unknown;
  fetchToken?: () => unknown;
  sessionId?: string;
  show?: (name: string, value: unknown) => void;
}
const surroundings = globalThis as Surroundings;
// Node has one since version 22.
surroundings.WebSocket ??= WebSocket;

/** What the page of a team shows: names and values, in order. */
function createShow() {
  const shown: [string, unknown][] = [];
  const wanted: { name: string; value: unknown; resolve: () => void }[] = [];
  const matches = (name: string, value: unknown) => (entry: { name: string; value: unknown }) =>
    entry.name === name && JSON.stringify(entry.value) === JSON.stringify(value);
  surroundings.show = (name, value) => {
    shown.push([name, value]);
    wanted.filter(matches(name, value)).forEach(({ resolve }) => resolve());
  };
  return (name: string, value: unknown): Promise<void> =>
    new Promise((resolve) => {
      if (shown.some(([n, v]) => matches(n, v)({ name, value }))) resolve();
      else wanted.push({ name, value, resolve });
    });
}

interface Setup {
  login?: unknown;
  session?: string;
  createToken?: (user: string) => unknown;
}

interface Case {
  page: string;
  env?: Record<string, string>;
  user?: string;
  /** Blocks that run before the page. */
  before?: string[];
  /** What the page shows by itself, and what it shows after the backend has run. */
  first: [string, unknown][];
  then: [string, unknown][];
}

const sid = (kind: string) => kind.padEnd(34, '0');

test.each<Case>([
  {
    page: 'hop',
    before: ['subscribe'],
    first: [['state', { round: 1 }]],
    then: [
      ['SCORE', { points: 7 }],
      ['PSST', 'you win'],
      ['state', { round: 2 }],
    ],
  },
  {
    page: 'stream',
    env: { STREAM_KEY: 'stream-key', STREAM_SECRET: 'the secret of a Stream app' },
    first: [
      ['message.new', { from: 'ada', text: 'hello' }],
      ['history', 1],
    ],
    then: [
      ['message.new', { from: null, text: 'from the backend' }],
      ['notice', 'for ada alone'],
    ],
  },
  {
    page: 'twilio',
    env: {
      TWILIO_ACCOUNT: sid('AC'),
      TWILIO_KEY: sid('SK'),
      TWILIO_SECRET: 'the secret of a Twilio key',
      TWILIO_SERVICE: sid('IS'),
    },
    first: [
      ['status', 'connected'],
      ['state', { done: false }],
    ],
    then: [
      ['state', { done: true }],
      ['cursor', { x: 1 }],
    ],
  },
  {
    page: 'opentok',
    env: { OPENTOK_KEY: '4711', OPENTOK_SECRET: 'the secret of an OpenTok project' },
    user: 'name=ada',
    first: [
      ['chat', { data: 'hello', from: 'name=ada' }],
      ['members', ['name=ada']],
    ],
    then: [
      ['chat', { data: 'from the backend', from: null }],
      ['warning', 'quiet please'],
    ],
  },
  {
    page: 'apollo-yoga',
    env: { JWT_SECRET: 'a secret of at least thirty-two bytes' },
    first: [],
    then: [
      ['commentAdded', { id: '1', text: 'hello' }],
      ['notified', 'You have an answer.'],
    ],
  },
])(
  'the code of the migration page $page runs, and its page shows what its backend publishes',
  async ({ page, env = {}, user = 'ada', before = [], first, then }) => {
    await using service = await startService();
    using scripts = createScripts();
    const document = `docs/migrating/${page}.md`;
    Object.assign(process.env, { SIGNALBOX_API_KEY: API_KEY, SIGNALBOX_URL: service.url, ...env });
    for (const name of ['signalbox', 'setup', ...before, 'page', 'backend'])
      scripts.write(
        `${name}.mjs`,
        namedBlock(document, `${name}.mjs`).replaceAll(`http://${DOCUMENTED_ADDRESS}`, service.url),
      );
    const run = <T>(name: string) =>
      import(/* @vite-ignore */ pathToFileURL(`${scripts.path}/${name}.mjs`).href) as Promise<T>;

    const shows = createShow();
    const { login, session, createToken } = await run<Setup>('setup');
    // Your backend starts more than once.
    await import(/* @vite-ignore */ pathToFileURL(`${scripts.path}/setup.mjs`).href + '?again');
    surroundings.fetchToken = () => login ?? createToken?.(user);
    if (session !== undefined) surroundings.sessionId = session;
    for (const name of before) await run(name);
    const { leave } = await run<{ leave: () => Promise<void> }>('page');
    await Promise.all(first.map(([name, value]) => shows(name, value)));
    await run('backend');
    await Promise.all(then.map(([name, value]) => shows(name, value)));
    await leave();
  },
);
