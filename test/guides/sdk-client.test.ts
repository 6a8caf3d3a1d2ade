import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { launchChromium } from '../support/chromium.ts';
import { createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { API_KEY, startService } from '../support/service.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the scripts of the guide to the client log in, publish, read, show a channel and end', async () => {
  await using service = await startService();
  await createChannel(service, 'lobby', { state: { topic: 'trains' } });
  using scripts = createScripts();
  const env = { SIGNALBOX_API_KEY: API_KEY, SIGNALBOX_URL: service.url };
  for (const name of ['backend.mjs', 'lobby.mjs', 'show.mjs'])
    scripts.write(name, namedBlock('docs/guides/client.md', name));

  await using lobby = scripts.start('lobby.mjs', [], env);
  expect(await lobby.next()).toEqual({ state: 'connecting', message: 'Connecting …' });
  expect(await lobby.next()).toEqual({ state: 'connected', message: 'Connected.' });
  expect(await lobby.next()).toEqual({ by: 'ada', text: 'hello' });
  expect(await lobby.next()).toEqual({ newest: ['hello'], hasOlder: false });
  expect(await lobby.next()).toEqual({ read: 'hello' });
  expect(await lobby.next()).toEqual({ state: 'ended', message: 'Disconnected.' });
  await expect(lobby.next()).rejects.toThrow('ended');

  scripts.write(
    'list.mjs',
    `import { createClient } from '@signalbox/client';
    import { WebSocket } from 'ws';
    import { logIn } from './backend.mjs';
    import { show } from './show.mjs';
    const client = createClient({ url: process.env.SIGNALBOX_URL, credential: () => logIn('bob'), webSocket: WebSocket });
    show(client.channel('lobby'), (shown) => console.log(JSON.stringify(shown)));
    client.channel('lobby').publish('message', { text: 'second' });`,
  );
  await using list = scripts.start('list.mjs', [], env);
  const isDone = ({ lines, members }: any) =>
    lines.join() === 'true second published' && members.length === 1;
  let shown = await list.next();
  while (!isDone(shown)) shown = await list.next();
  expect(shown).toMatchObject({
    // A member of a PRIVATE channel sees what was published since its membership began.
    lines: ['true second published'],
    members: ['bob'],
    typing: [],
    topic: 'trains',
    hasOlder: false,
  });
});

test('the page of the guide to React shows and publishes messages with React 19', async (scope) => {
  await using browser = await launchChromium(scope);
  const server = createServer(
    ({ url = '' }, response) => void respond(url).then((text) => response.end(text)),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using service = await startService({ origins: [origin] });
  await createChannel(service, 'lobby');
  const { credential } = await mint(service, { identity: 'ada', channels: ['lobby'] });
  const blockOf = (file: string) =>
    namedBlock('docs/guides/react.md', file).replaceAll(DOCUMENTED_ADDRESS, new URL(service.url).host);
  const { outputFiles } = await build({
    stdin: { contents: blockOf('main.tsx'), resolveDir: ROOT, loader: 'tsx' },
    plugins: [
      {
        name: 'guide',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\/\w+\.tsx?$/ }, ({ path, importer }) =>
            importer === '<stdin>' || importer.startsWith('./') ? { path, namespace: 'guide' } : undefined,
          );
          onLoad({ filter: /.*/, namespace: 'guide' }, ({ path }) => ({
            ...{ contents: blockOf(path.slice(2)), resolveDir: ROOT, loader: 'tsx' },
          }));
        },
      },
    ],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    tsconfig: `${ROOT}/tsconfig.json`,
    alias: { react: 'react-19', 'react-dom': 'react-dom-19' },
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  async function respond(url: string): Promise<string> {
    if (url === '/credential') return credential;
    return url === '/page.js'
      ? (outputFiles[0]?.text ?? '')
      : '<!doctype html><meta charset="utf-8"><div id="root"></div><script src="/page.js"></script>';
  }
  const page = await browser.newPage();
  await page.goto(origin);
  await page.getByRole('status').filter({ hasText: 'Connected.' }).waitFor();
  await page.getByText('Online: ada').waitFor();
  await page.getByLabel('Message').fill('hello');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('li.published', { hasText: 'me: hello' }).waitFor();
  const bob = await mint(service, { identity: 'bob', channels: ['lobby'] });
  await service.request(
    'mutation { publishMessage(channel: "lobby", event: "message", data: { text: "hi" }) { connections } }',
    {},
    bob.credential,
  );
  await page.locator('li.published', { hasText: 'bob: hi' }).waitFor();
  expect(await page.evaluate('document.querySelectorAll("li").length')).toBe(2);
  server.closeAllConnections();
  server.close();
});
