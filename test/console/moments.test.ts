import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { signIn, visit } from './console-page.ts';

const MINUTE_MS = 60_000;

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

async function withPage(
  run: (page: Page) => Promise<void>,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<void> {
  const context: BrowserContext = await browser.newContext({ reducedMotion: 'reduce', ...options });
  try {
    await run(await signIn(context, signalbox.url, signalbox.apiKey));
  } finally {
    await context.close();
  }
}

/** Opens a dialog, waits ten minutes by the clock of the page, and returns the time then. */
async function openForTenMinutes(page: Page): Promise<number> {
  const later = Date.now() + 10 * MINUTE_MS;
  await page.clock.setSystemTime(later);
  return later;
}

/** Until when the variables that the form shows last. */
async function shownEnd(page: Page, name: string): Promise<number> {
  const text = await page.getByRole('dialog').getByRole('region', { name: 'Variables' }).innerText();
  return Date.parse((JSON.parse(text) as Record<string, string>)[name]!);
}

describe.skipIf(skipsBrowser)('moments that are chosen in the console', () => {
  test.each(['Mute', 'Ban'])('%s lasts as long as chosen, however long its dialog was open', async (kind) => {
    await withPage(async (page) => {
      await visit(page, '#/moderation');
      await page.getByRole('button', { name: kind, exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Client').selectOption('identity');
      await dialog.getByLabel('Identity').fill(`subject-of-${kind}`);
      await dialog.getByLabel('Channel', { exact: true }).fill('hall');
      await dialog.getByLabel('Until').selectOption({ label: '15 minutes' });
      await dialog.getByRole('button', { name: 'Show GraphQL' }).click();
      const later = await openForTenMinutes(page);
      await expect
        .poll(() => shownEnd(page, 'until'), { message: 'the GraphQL that is shown' })
        .toBeGreaterThanOrEqual(later + 15 * MINUTE_MS);
      await dialog.getByRole('button', { name: 'Hide GraphQL' }).click();
      await page.clock.setSystemTime(later + MINUTE_MS);
      await dialog.getByRole('button', { name: kind, exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      const { restrictions } = await signalbox.request(
        'query ($identity: String!) { restrictions(first: 1, identity: $identity) { nodes { kind until } } }',
        { identity: `subject-of-${kind}` },
      );
      const [restriction] = restrictions.nodes;
      expect(restriction.kind).toBe(kind.toUpperCase());
      expect(Date.parse(restriction.until)).toBeGreaterThanOrEqual(later + 16 * MINUTE_MS);
      expect(Date.parse(restriction.until)).toBeLessThan(later + 17 * MINUTE_MS);
    });
  });

  test('an API key expires as late as chosen, however long its dialog was open', async () => {
    await withPage(async (page) => {
      await visit(page, '#/keys');
      await page.getByRole('button', { name: 'Create API key' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Expires').selectOption({ label: '15 minutes' });
      await dialog.getByLabel('Name').fill('short');
      const later = await openForTenMinutes(page);
      await dialog.getByRole('button', { name: 'Create API key' }).click();
      await dialog.getByRole('region', { name: 'API key' }).waitFor();
      const { project } = await signalbox.request(
        '{ project { apiKeys(first: 10) { nodes { name expiresAt } } } }',
      );
      const key = project.apiKeys.nodes.find(({ name }: { name: string }) => name === 'short');
      expect(Date.parse(key.expiresAt)).toBeGreaterThanOrEqual(later + 15 * MINUTE_MS);
    });
  });

  test.each(['Europe/Berlin', 'Asia/Kolkata'])(
    'the year of a moment can be typed without changing the rest in %s',
    async (timezoneId) => {
      await withPage(
        async (page) => {
          // Some engines leave the seconds of zones before 1900 out.
          await page.evaluate(`{
            const { getTimezoneOffset } = Date.prototype;
            Date.prototype.getTimezoneOffset = function () { return Math.trunc(getTimezoneOffset.call(this)); };
          }`);
          await visit(page, '#/tokens');
          await page.getByRole('button', { name: 'Create token' }).click();
          const dialog = page.getByRole('dialog');
          const field = dialog.getByLabel('Expires at, instead of a lifetime');
          await field.fill('2040-01-01T00:00');
          await field.focus();
          // Beyond the month and the day.
          for (const key of ['ArrowRight', 'ArrowRight', '2', '0', '4', '1']) await page.keyboard.press(key);
          expect(await field.inputValue()).toBe('2041-01-01T00:00');
          await dialog.getByLabel('Identity', { exact: true }).fill(timezoneId.replace('/', '-'));
          await dialog.getByRole('button', { name: 'Show GraphQL' }).click();
          const text = await dialog.getByRole('region', { name: 'Variables' }).innerText();
          const { input } = JSON.parse(text) as { input: { expiresAt: string } };
          const local = await page.evaluate<string>('new Date("2041-01-01T00:00").toISOString()');
          expect(input.expiresAt).toBe(local);
        },
        { timezoneId, locale: 'en-US' },
      );
    },
  );
});
