import { readFileSync } from 'node:fs';
import { type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** A desk and a phone. */
export const SIZES = [
  [1440, 900],
  [390, 844],
] as const;

/** What a browser reports while the console is used. */
export interface Report {
  /** The URLs of all requests and WebSockets. */
  readonly urls: string[];
  /** Errors, warnings, and violations of the Content-Security-Policy. */
  readonly problems: string[];
}

/** Records the requests and the problems of all pages of a context. */
export async function record(context: BrowserContext): Promise<Report> {
  const [urls, problems]: [string[], string[]] = [[], []];
  await context.exposeFunction('reportProblem', (text: string) => problems.push(text));
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => reportProblem(['CSP', violatedDirective, blockedURI, sample].join(' ')));`,
  );
  context.on('request', (request) => urls.push(request.url()));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('page', (page) => page.on('websocket', (socket) => urls.push(socket.url())));
  return { urls, problems };
}

/** Opens the console and signs in. */
export async function signIn(context: BrowserContext, url: string, apiKey: string): Promise<Page> {
  const page = await context.newPage();
  // Shorter than the timeout of the test, so that the error names the missing element.
  page.setDefaultTimeout(30_000);
  await page.goto(`${url}/console`);
  await page.getByRole('textbox', { name: 'API key' }).fill(apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('status').getByText('live').waitFor();
  return page;
}

/** Opens a page of the console by its address, as a bookmark does, and waits until it is loaded. */
export async function visit(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    (globalThis as unknown as { location: { hash: string } }).location.hash = to;
  }, hash);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const loading = page.getByLabel('Loading');
  while ((await loading.count()) > 0) await loading.first().waitFor({ state: 'detached' });
}

/**
 * What axe finds in the page as it is, in light and dark, on a desk and on a phone. Of its rules, only that of the contrast depends
 * on the colors, so in dark the others are not run again. `part`: a selector; the whole page by default.
 */
export async function findViolations(page: Page, part = ':root'): Promise<string[]> {
  const found: string[] = [];
  // Half a megabyte, which a document is sent once only.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(`(() => { ${AXE} })()`);
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const violations = await page.evaluate<string[]>(
        `axe.run(${JSON.stringify(part)}, { resultTypes: ['violations']${colorScheme === 'dark' ? ", runOnly: ['color-contrast']" : ''} }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(' '))))`,
      );
      found.push(...violations.map((violation) => `${page.url()} ${colorScheme} ${width}: ${violation}`));
    }
  return found;
}

/**
 * No page is wider than the screen, neither at any of SIZES nor during the change between them. Tables scroll in boxes of their own.
 * Resizes the page, and leaves it at the last of SIZES.
 */
export async function expectToFit(page: Page): Promise<void> {
  await page.evaluate(`
    globalThis.overflow = 0;
    globalThis.watch = setInterval(() => {
      overflow = Math.max(overflow, document.documentElement.scrollWidth - document.documentElement.clientWidth);
    }, 0);
  `);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))).then(() =>
      Promise.allSettled(document.getAnimations().map((one) => one.transitionProperty && one.finished)))`);
  }
  const overflow = await page.evaluate<number>('clearInterval(watch), overflow');
  expect(overflow, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}

/** Presses a button, fills the fields of its dialog by their labels, and presses the button that sends. */
export async function act(
  page: Page,
  button: string,
  fields: Readonly<Record<string, string>>,
  submit: string,
): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries(fields))
    await dialog.getByLabel(label, { exact: true }).fill(value);
  await dialog.getByRole('button', { name: submit, exact: true }).click();
  await dialog.getByRole('button', { name: submit, exact: true }).waitFor({ state: 'detached' });
}
