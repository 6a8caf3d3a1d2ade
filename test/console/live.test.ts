import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { signIn, visit } from './console-page.ts';

let signalbox: TestService;
let browser: Browser;

beforeAll(async () => {
  if (skipsBrowser) return;
  [signalbox, browser] = await Promise.all([startService({ mode: 'development' }), launchChromium()]);
  await createChannel(signalbox, 'hall');
});

afterAll(async () => {
  if (skipsBrowser) return;
  await browser.close();
  await signalbox[Symbol.asyncDispose]();
});

/** Lets a test see the frames that the page has received, and keep the page from drawing what arrived: `isHeld`. */
const OBSERVE = `
  globalThis.frames_ = [];
  globalThis.isHeld = false;
  // A list that follows live is drawn every 200 ms.
  const { setInterval: repeat, WebSocket: Socket } = globalThis;
  globalThis.setInterval = (run, every, ...rest) => repeat(() => every === 200 && isHeld ? undefined : run(), every, ...rest);
  globalThis.WebSocket = class extends Socket {
    constructor(...parameters) {
      super(...parameters);
      globalThis.socket_ = this;
      this.addEventListener('message', ({ data }) => frames_.push(data));
    }
  };
`;

async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
  const context: BrowserContext = await browser.newContext({ reducedMotion: 'reduce' });
  await context.addInitScript(OBSERVE);
  try {
    await run(await signIn(context, signalbox.url, signalbox.apiKey));
  } finally {
    await context.close();
  }
}

const publish = (event: string) =>
  signalbox.request(
    'mutation ($event: String!) { publishMessage(channel: "hall", event: $event) { connections } }',
    { event },
  );

/** The page itself must not poll: its policy forbids to evaluate text. */
const received = (page: Page, text: string) =>
  expect
    .poll(() => page.evaluate(`frames_.some((frame) => frame.includes(${JSON.stringify(text)}))`))
    .toBe(true);

describe.skipIf(skipsBrowser)('a live list of the console', () => {
  test.each([
    ['#/activity', 'Live activity'],
    ['#/channels/hall', 'Live messages'],
  ])('shows what arrived just before a pause: %s', async (hash, name) => {
    await withPage(async (page) => {
      await visit(page, hash);
      const list = page.getByRole('region', { name, exact: true }).first();
      const rows = (text: string) => list.locator('tbody tr').filter({ hasText: text });
      // The stream is open when a message comes over it.
      await expect
        .poll(async () => {
          await publish('early');
          return rows('early').count();
        })
        .toBeGreaterThan(0);
      await page.evaluate('isHeld = true');
      await publish('late');
      await received(page, 'late');
      expect(await rows('late').count()).toBe(0);
      await page.getByRole('button', { name: 'Pause' }).click();
      await rows('late').waitFor();
      await page.evaluate('isHeld = false');
      await page.getByRole('button', { name: 'Continue' }).click();
      await expect
        .poll(async () => {
          await publish('after');
          return rows('after').count();
        })
        .toBeGreaterThan(0);
      expect(await rows('late').count()).toBe(1);
    });
  });

  test('shows no error of a stream that has been started again', async () => {
    await withPage(async (page) => {
      await visit(page, '#/activity');
      const list = page.getByRole('region', { name: 'Live activity', exact: true }).first();
      await publish('any');
      await list.locator('tbody tr').filter({ hasText: 'any' }).first().waitFor();
      await page.evaluate(`{
        const { id } = frames_.map((frame) => JSON.parse(frame)).findLast(({ payload }) => payload?.data?.activity);
        const payload = [{ message: 'Too many operations.', extensions: { code: 'LIMIT_EXCEEDED' } }];
        socket_.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ id, type: 'error', payload }) }));
      }`);
      await page.getByRole('alert').getByText('LIMIT_EXCEEDED').waitFor();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await expect
        .poll(async () => {
          await publish('again');
          return list.locator('tbody tr').filter({ hasText: 'again' }).count();
        })
        .toBeGreaterThan(0);
      expect(await page.getByRole('alert').count()).toBe(0);
    });
  });
});
