import { type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { act, record, signIn, visit, type Report } from './console-page.ts';

let signalbox: TestService;
let browser: Browser;
let page: Page;
let report: Report;

beforeAll(async () => {
  if (skipsBrowser) return;
  [signalbox, browser] = await Promise.all([startService({ mode: 'development' }), launchChromium()]);
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
  });
  report = await record(context);
  page = await signIn(context, signalbox.url, signalbox.apiKey);
});

afterAll(async () => {
  if (skipsBrowser) return;
  await browser.close();
  await signalbox[Symbol.asyncDispose]();
});

/** The variables that the form would send. */
async function shownVariables(form: Locator): Promise<unknown> {
  await form.getByRole('button', { name: 'Show GraphQL' }).click();
  const variables = JSON.parse(await form.getByRole('region', { name: 'Variables' }).innerText()) as unknown;
  await form.getByRole('button', { name: 'Hide GraphQL' }).click();
  return variables;
}

async function submit(form: Locator, name: string): Promise<void> {
  await form.getByRole('button', { name, exact: true }).click();
  await form.waitFor({ state: 'detached' });
}

describe.skipIf(skipsBrowser)('editing in the console', () => {
  test('begins with what is stored when the dialog opens, so that it takes nothing back that others changed', async () => {
    const { createToken } = await signalbox.request(
      'mutation { createToken(input: { identity: "ada", role: SUBSCRIBER }) { token { id } } }',
    );
    const { id } = createToken.token;
    await visit(page, `#/tokens/${id}`);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Connection data').fill('given up');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await signalbox.request(
      'mutation ($id: ID!) { updateToken(id: $id, input: { role: MODERATOR, connectionData: "theirs" }) { id } }',
      { id },
    );
    // Every action reads the page again.
    await act(page, 'Mute', { Reason: 'too loud' }, 'Mute');
    await page.getByText('theirs', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    expect(await dialog.getByLabel('Connection data').inputValue()).toBe('theirs');
    await dialog.getByLabel('Connection data').fill('ours');
    expect(await shownVariables(dialog)).toEqual({ id, input: { connectionData: 'ours' } });
    await submit(dialog, 'Save');

    await createChannel(signalbox, 'hall');
    await visit(page, '#/channels/hall');
    await page.getByRole('button', { name: 'Publish', exact: true }).waitFor();
    await signalbox.request(
      'mutation { updateChannel(id: "hall", input: { type: PUBLIC, history: { messages: 7 } }) { id } }',
    );
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText('7 messages', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    expect(await dialog.getByLabel('Messages to keep').inputValue()).toBe('7');
    await dialog.getByLabel('Seconds to keep').fill('60');
    const changed = { id: 'hall', input: { history: { messages: 7, seconds: 60 } } };
    expect(await shownVariables(dialog)).toEqual(changed);
    await submit(dialog, 'Save');
    expect(report.problems).toEqual([]);
  });
});
