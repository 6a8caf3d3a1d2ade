import { spawn } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { launchChromium } from './support/chromium.ts';
import { createFolder } from './support/folder.ts';
import { findFreePort } from './support/free-port.ts';

/** A phone and a desk. */
const SIZES = [
  [390, 844],
  [1280, 800],
] as const;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
// The development server of Vite compiles the page at its first load.
vi.setConfig({ testTimeout: 60_000 });

/** Starts service, backend and page as `npm run example` does, without the build before it, with a copy of the page in `folder`. */
async function startExample(folder: string): Promise<AsyncDisposable & { page: string }> {
  cpSync(`${ROOT}/examples/chat`, folder, { recursive: true });
  symlinkSync(`${ROOT}/node_modules`, `${folder}/node_modules`);
  const [page, service] = [await findFreePort(), await findFreePort()];
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/chat/server.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], PAGE_PORT: String(page), PORT: String(service), PAGE_ROOT: folder },
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => String(chunk).includes('Open http') && resolve());
    child.on('exit', (code) => reject(new Error(`The example exited with ${String(code)}.`)));
  });
  return {
    page: `http://127.0.0.1:${page}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill();
      }),
  };
}

/** What axe finds in the page as it is, in light and dark, on a phone and on a desk. */
async function findViolations(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: `${ROOT}/node_modules/axe-core/axe.min.js` });
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const violations = await page.evaluate<string[]>(
        `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(' '))))`,
      );
      found.push(...violations.map((violation) => `${colorScheme} ${width}: ${violation}`));
    }
  return found;
}

test('the page component of the example has at most 45 lines', () => {
  const lines = readFileSync(`${ROOT}/examples/chat/src/Chat.tsx`, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(45);
});

test('two users and a guest meet in the example, what is written offline arrives once, axe finds no violation, and Fast Refresh keeps state and connection', async (scope) => {
  await using browser = await launchChromium(scope);
  using folder = createFolder();
  await using example = await startExample(folder.path);
  const complaints: string[] = [];
  async function enter(act: (page: Page) => Promise<void>): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.goto(example.page);
    if (act === enterAsGuest) expect(await findViolations(page)).toEqual([]);
    await act(page);
    await page
      .getByRole('status')
      .filter({ hasText: /^Connected/ })
      .waitFor();
    return page;
  }
  const enterAsGuest = (page: Page) => page.getByRole('button', { name: 'Enter as a guest' }).click();
  const signIn = (name: string) => async (page: Page) => {
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  async function send(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  }
  const [ada, bob] = [await enter(signIn('ada')), await enter(signIn('bob'))];
  const guest = await enter(enterAsGuest);
  await ada.getByText('Online: ada, bob').waitFor();

  const written = ['hello', 'one', 'two'];
  await send(ada, 'hello');
  await bob.getByText('hello').waitFor();
  await ada.context().setOffline(true);
  for (const text of written.slice(1)) await send(ada, text);
  await bob.getByLabel('Message', { exact: true }).pressSequentially('t');
  // With messages that are queued.
  expect(await findViolations(ada)).toEqual([]);
  await ada.context().setOffline(false);
  await guest.getByText('bob is typing …').waitFor();
  expect(await findViolations(guest)).toEqual([]);
  for (const page of [ada, bob, guest]) {
    await page.locator('li.published', { hasText: 'two' }).waitFor();
    expect(await page.locator('li .text').allTextContents()).toEqual(written);
  }

  // A developer edits a component: React replaces it in the page, which keeps its state and its connection.
  const opened: string[] = [];
  bob.on('websocket', (socket) => opened.push(socket.url()));
  await bob.getByLabel('Message', { exact: true }).fill('half written');
  const file = `${folder.path}/src/Chat.tsx`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('<h1>Lobby</h1>', '<h1>Station</h1>'));
  await bob.getByRole('heading', { name: 'Station' }).waitFor();
  expect(await bob.getByLabel('Message', { exact: true }).inputValue()).toBe('half written');
  const later = ['to a new component', 'from a new component'];
  await send(ada, later[0]!);
  await bob.locator('li.published', { hasText: later[0]! }).waitFor();
  await send(bob, later[1]!);
  await ada.locator('li.published', { hasText: later[1]! }).waitFor();
  for (const page of [ada, bob])
    expect(await page.locator('li .text').allTextContents()).toEqual([...written, ...later]);
  expect(opened).toEqual([]);
  // The page that was offline reports the connections that it could not open.
  expect(complaints.filter((text) => !text.includes('net::ERR_INTERNET_DISCONNECTED'))).toEqual([]);
});
