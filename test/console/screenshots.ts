/**
 * `npm run screenshots [folder]`: builds a small project, uses it for a minute, and photographs every page of the console.
 * Without a folder, the desk in light and three other pictures go to `docs/console/`; with one, all four forms of each page.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { startService } from '../support/service.ts';
import { signIn, SIZES, visit } from './console-page.ts';
import { seedProject } from './seed-project.ts';

const DOCS = fileURLToPath(new URL('../../docs/console', import.meta.url));
const [target = DOCS, seconds = '60'] = process.argv.slice(2);
const folder = resolve(target);
/** What the documentation shows besides each page on a desk in light colors. */
const EXTRA = ['tokens-dark-1440', 'token-light-390', 'activity-dark-390'];

mkdirSync(folder, { recursive: true });
await using signalbox = await startService({ mode: 'development' });
const project = await seedProject(signalbox);
const browser = await launchChromium();
const page = await signIn(
  await browser.newContext({ reducedMotion: 'reduce' }),
  signalbox.url,
  signalbox.apiKey,
);

const PAGES: Record<string, string> = {
  overview: '#/overview',
  tokens: '#/tokens',
  token: `#/tokens/${project.token}`,
  channels: '#/channels',
  channel: '#/channels/room%3A1',
  connections: '#/connections',
  messages: '#/messages',
  moderation: '#/moderation',
  explain: '#/explain',
  activity: '#/activity',
  keys: '#/keys',
  project: '#/project',
};

async function photograph(name: string, shown: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [width, height] of SIZES) {
      const file = `${name}-${colorScheme}-${width}`;
      if (folder === DOCS && !(colorScheme === 'light' && width === 1440) && !EXTRA.includes(file)) continue;
      await shown.setViewportSize({ width, height });
      await shown.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await shown.waitForTimeout(300);
      await shown.screenshot({ path: `${folder}/${file}.png`, fullPage: folder !== DOCS });
    }
}

await project.use(Number(seconds));
for (const [name, hash] of Object.entries(PAGES)) {
  await visit(page, hash);
  // Live pages are photographed with something on them.
  await project.use(name === 'activity' || name === 'channel' || name === 'token' ? 2 : 0);
  await photograph(name, page);
}
await visit(page, '#/keys');
await page.getByRole('button', { name: 'Edit Company login' }).click();
await photograph('edit-issuer', page);
await page.keyboard.press('Escape');
await visit(page, '#/tokens');
await page.getByRole('button', { name: 'Create token' }).click();
await photograph('create-token', page);
await page.getByRole('dialog').getByLabel('Identity').fill('heidi');
await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
await page.getByRole('button', { name: 'Open test client' }).waitFor();
await photograph('credential', page);
await project.stop();
await browser.close();
