import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Page } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { createClient } from '@signalbox/client';
import { SignalboxProvider, useChannel, useStatus } from '@signalbox/react';
import { launchChromium } from '../../../test/support/chromium.ts';
import { createProxy } from '../../../test/support/proxy.ts';
import { startService } from '../../../test/support/service.ts';
import { createChannel, createMember } from '../../client/test/support/client.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const ALIASES = { 18: {}, 19: { react: 'react-19', 'react-dom': 'react-dom-19' } };

/** Serves the page of the test as one bundle with a version of React. */
async function servePage(version: 18 | 19): Promise<AsyncDisposable & { origin: string }> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}/packages/react/test/support/page.tsx`],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    alias: ALIASES[version],
    tsconfig: `${ROOT}/tsconfig.json`,
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const html = '<!doctype html><meta charset="utf-8"><div id="root"></div><script src="/page.js"></script>';
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? outputFiles[0]!.text : html);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const texts = (page: Page) => page.locator('li.published').allTextContents();

test.for([18, 19] as const)(
  'two pages with React %i in StrictMode see the same messages, members and typing across cuts and a reload',
  async (version, scope) => {
    await using browser = await launchChromium(scope);
    await using site = await servePage(version);
    await using service = await startService({ origins: [site.origin] });
    await createChannel(service);
    await service.request(
      'mutation { setChannelState(channel: "lobby", state: { topic: "Trains" }) { id } }',
    );
    await using proxy = await createProxy(Number(new URL(service.url).port));
    async function open(identity: string): Promise<Page> {
      const { credential } = await createMember(service, identity);
      const page = await browser.newPage();
      const url = `http://127.0.0.1:${proxy.port}`;
      await page.goto(`${site.origin}/?${new URLSearchParams({ url, credential }).toString()}`);
      await page.locator('#status', { hasText: 'connected' }).waitFor();
      return page;
    }
    const [ada, bob] = [await open('ada'), await open('bob')];
    await ada.locator('h1', { hasText: 'Trains' }).waitFor();
    await ada.locator('#members', { hasText: 'ada,bob' }).waitFor();

    await bob.locator('input').pressSequentially('he');
    await ada.locator('#typing', { hasText: 'bob' }).waitFor();
    const expected: string[] = [];
    async function say(page: Page, text: string): Promise<void> {
      expected.push(text);
      await page.locator('input').fill(text);
      await page.locator('input').press('Enter');
    }
    await say(bob, 'hello');
    await ada.locator('li.published', { hasText: 'hello' }).waitFor();
    expect(await ada.locator('#typing').textContent()).toBe('');

    for (let round = 0; round < 5; round++) {
      proxy.cut();
      await say(round % 2 ? ada : bob, `round ${round}`);
      for (const page of [ada, bob])
        await page.locator('li.published', { hasText: `round ${round}` }).waitFor();
    }
    await ada.reload();
    await ada.locator('li.published', { hasText: 'round 4' }).waitFor();
    await say(ada, 'after the reload');
    for (const page of [ada, bob]) {
      await page.locator('li.published', { hasText: 'after the reload' }).waitFor();
      expect(await texts(page)).toEqual(expected);
      expect(await page.locator('li:not(.published)').count()).toBe(0);
    }

    const counts = () => ada.evaluate<{ sockets: number; listeners: number }>('({ ...counts })');
    expect(await counts()).toEqual({ sockets: 1, listeners: 5 });
    for (let i = 0; i < 5; i++) await ada.evaluate('replaceComponents()');
    await say(bob, 'to new components');
    await ada.locator('li.published', { hasText: 'to new components' }).waitFor();
    expect(await counts()).toEqual({ sockets: 1, listeners: 5 });
    await ada.evaluate('replaceClient()');
    await ada.locator('#status', { hasText: 'connected' }).waitFor();
    // The new client reads the history once it is connected.
    await ada.locator('li.published', { hasText: 'hello' }).waitFor();
    await say(ada, 'from a new client');
    await ada.locator('li.published', { hasText: 'from a new client' }).waitFor();
    await ada.locator('#members', { hasText: /^ada,bob$/ }).waitFor();
    expect(await texts(ada)).toEqual(expected);
    expect(await counts()).toEqual({ sockets: 2, listeners: 5 });
    const { connections } = await service.request(
      '{ connections(identity: "ada") { nodes { connection { id } } } }',
    );
    expect(connections.nodes).toHaveLength(1);
  },
);

test('a server renders the empty channel and connects nowhere', () => {
  const client = createClient({ url: 'http://127.0.0.1:1', credential: 'anonymous' });
  const Page = () => {
    const { messages } = useChannel('lobby');
    return createElement('p', null, `${messages.length} messages, ${useStatus().state}`);
  };
  const html = renderToString(
    createElement(SignalboxProvider<Record<string, unknown>>, { client }, createElement(Page)),
  );
  expect(html).toBe('<p>0 messages, idle</p>');
  expect(client.status.state).toBe('idle');
});
