import { expect, test } from 'vitest';
import { type Page } from 'playwright-core';
import { createChannel, mint, publish } from '../support/backend.ts';
import { launchChromium } from '../support/chromium.ts';
import { createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { findFreePort } from '../support/free-port.ts';
import { API_KEY, startService } from '../support/service.ts';

const GUIDE = 'docs/guides/from-the-browser.md';
const FILES = ['backend.mjs', 'index.html', 'page.js', 'stream.js'];

/** Opens a page as soon as its server answers. */
async function open(page: Page, origin: string): Promise<void> {
  while (!(await fetch(origin).catch(() => undefined)));
  await page.goto(origin);
}

/** Reads the first message of a channel over SSE, inside the page, with the code of the guide. */
function readStream(page: Page, credential: string): Promise<string> {
  const script = `import('/stream.js').then(async ({ subscribe }) => {
    const query = 'subscription { messages(channel: "lobby") { event } }';
    for await (const { data } of subscribe(query, {}, ${JSON.stringify(credential)})) return data.messages.event;
  })`;
  return page.evaluate(script);
}

/** Opens the page with a cursor that this log does not know, and resolves when the page has started over. */
async function loseCursor(page: Page, origin: string, foreign: string): Promise<void> {
  // A file of the same origin, so that no message stores a cursor meanwhile.
  await page.goto(`${origin}/page.js`);
  await page.evaluate((cursor) => sessionStorage.setItem('cursor', cursor), foreign);
  // The socket that is told of the gap, after it was given a cursor, and the socket of the page that starts over.
  let sockets = 0;
  const startedOver = page.waitForEvent('websocket', () => ++sockets === 2);
  await page.goto(origin);
  await startedOver;
  await page.waitForFunction(() => sessionStorage.getItem('cursor') !== null);
}

test('a page of an allowed origin resumes after a reload, starts over after a gap, and stops when signed out', async (scope) => {
  await using browser = await launchChromium(scope);
  using scripts = createScripts();
  const origin = `http://127.0.0.1:${await findFreePort()}`;
  await using service = await startService({ origins: [origin] });
  await createChannel(service, 'lobby');
  for (const file of FILES) {
    const text = namedBlock(GUIDE, file).replaceAll(DOCUMENTED_ADDRESS, new URL(service.url).host);
    scripts.write(file, text.replaceAll('3000', new URL(origin).port));
  }
  await using _ = scripts.start('backend.mjs', [], { KEY: API_KEY });
  const page = await browser.newPage();
  await open(page, origin);

  const shown = (text: string) => page.locator('#messages li', { hasText: text }).first().waitFor();
  while ((await publish(service, 'lobby', 'first')) === 0);
  await shown('first');
  await page.goto('about:blank');
  await publish(service, 'lobby', 'while-away');
  await page.goto(origin);
  await shown('while-away');

  const { credential } = await page.evaluate(() =>
    fetch('/credential', { method: 'POST' }).then((response) => response.json()),
  );
  const streamed = readStream(page, credential);
  while ((await publish(service, 'lobby', 'streamed')) < 2);
  expect(await streamed).toBe('streamed');

  {
    await using other = await startService();
    await loseCursor(page, origin, (await mint(other)).cursor);
  }
  await publish(service, 'lobby', 'after-gap');
  await shown('after-gap');

  await page.route('**/credential', (route) => route.fulfill({ status: 503 }), { times: 1 });
  await page.reload();
  while ((await publish(service, 'lobby', 'backend-is-back')) === 0);
  await shown('backend-is-back');

  await page.route('**/credential', (route) => route.fulfill({ status: 401 }));
  const stopped = page.waitForEvent('console', (message) => message.text().includes('Sign in again'));
  await page.reload();
  await stopped;
});

test('a page of another origin is refused', async () => {
  await using service = await startService({ origins: ['https://app.example'] });
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ viewer { kind } }' }),
  });
  expect(response.status).toBe(403);
});
