import { type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { findViolations, signIn, visit } from './console-page.ts';

let signalbox: TestService;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (skipsBrowser) return;
  [signalbox, browser] = await Promise.all([startService({ mode: 'development' }), launchChromium()]);
});

afterAll(async () => {
  if (skipsBrowser) return;
  await browser.close();
  await signalbox[Symbol.asyncDispose]();
});

beforeEach(async () => {
  if (skipsBrowser) return;
  await setPermissions({ roles: [], kinds: [], stated: [] });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  page = await signIn(context, signalbox.url, signalbox.apiKey);
});

afterEach(async () => {
  if (!skipsBrowser) await context.close();
});

/** Changes the settings as another operator does. */
const setSettings = (settings: object) =>
  signalbox.request('mutation ($s: ProjectSettingsInput!) { updateProject(settings: $s) { id } }', {
    s: settings,
  });
const setPermissions = (permissions: object) => setSettings({ permissions });

async function readSettings() {
  const { project } = await signalbox.request(
    '{ project { settings { guestSeconds expiryGraceSeconds permissions { roles { name } kinds { name } stated { role kind actions } } } } }',
  );
  return project.settings;
}

const GUESTS_OUT = { role: 'GUEST', kind: 'PUBLIC', actions: [] };
const SUBSCRIBERS_PUBLISH = {
  role: 'SUBSCRIBER',
  kind: 'PUBLIC',
  actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'],
};

const note = (form: Page | Locator) => form.getByText('The stored values were changed meanwhile.');
const load = (form: Page | Locator) => form.getByRole('button', { name: 'Load the stored values' });
const permission = (cell: string, action: string) =>
  page.getByRole('group', { name: cell, exact: true }).getByLabel(action);
const save = (name: string) => page.getByRole('button', { name, exact: true });

/** Comes back to the window, until the page has read again and shows an element. */
async function comeBackUntil(element: Locator): Promise<void> {
  await expect
    .poll(async () => {
      await page.evaluate("dispatchEvent(new Event('visibilitychange'))");
      return element.count();
    })
    .toBeGreaterThan(0);
}

describe.skipIf(skipsBrowser)('a form of the console whose stored values others change meanwhile', () => {
  test('does not save a permission matrix over a restriction that was saved since the page was opened', async () => {
    await visit(page, '#/project');
    await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').check();
    await setPermissions({ stated: [GUESTS_OUT] });
    await save('Save the matrix').click();
    await note(page).waitFor();
    expect((await readSettings()).permissions.stated).toEqual([GUESTS_OUT]);
    expect(await save('Save the matrix').isDisabled()).toBe(true);
    expect(await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').isChecked()).toBe(true);
    expect(await findViolations(page)).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });

    await load(page).click();
    await note(page).waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.tagName')).toBe('FORM');
    expect(await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').isChecked()).toBe(false);
    expect(await permission('GUEST in PUBLIC', 'SUBSCRIBE').isChecked()).toBe(false);
    await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').check();
    await save('Save the matrix').click();
    // Two saves in a row are no change of others.
    await page.getByText('Change a cell to save the matrix.').waitFor();
    expect((await readSettings()).permissions.stated).toEqual([GUESTS_OUT, SUBSCRIBERS_PUBLISH]);
    await page.getByRole('button', { name: 'Reset GUEST in PUBLIC' }).click();
    await save('Save the matrix').click();
    await page.getByText('Change a cell to save the matrix.').waitFor();
    expect((await readSettings()).permissions.stated).toEqual([SUBSCRIBERS_PUBLISH]);
    expect(await note(page).count()).toBe(0);
  });

  test('keeps unsaved edits when the page reads again because its window is shown', async () => {
    await visit(page, '#/project');
    const grace = page.getByLabel('Expiry grace (seconds)');
    await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').check();
    await grace.fill('30');
    await setPermissions({ roles: [{ name: 'steward', like: 'MODERATOR' }] });
    await comeBackUntil(page.getByRole('group', { name: 'steward in PUBLIC' }));
    expect(await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').isChecked()).toBe(true);
    expect(await grace.inputValue()).toBe('30');
    expect(await note(page).count()).toBe(0);
    await save('Save the settings').click();
    await page.getByText('Change a setting; only what differs is sent.').waitFor();
    expect(await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').isChecked()).toBe(true);

    await permission('steward in PUBLIC', 'MODERATE').uncheck();
    await setPermissions({ roles: [], stated: [GUESTS_OUT] });
    await comeBackUntil(note(page));
    expect(await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').isChecked()).toBe(true);
    expect(await save('Save the matrix').isDisabled()).toBe(true);
    await load(page).click();
    await permission('SUBSCRIBER in PUBLIC', 'PUBLISH').check();
    await save('Save the matrix').click();
    await page.getByText('Change a cell to save the matrix.').waitFor();
    const { permissions, expiryGraceSeconds } = await readSettings();
    expect(permissions).toEqual({ roles: [], kinds: [], stated: [GUESTS_OUT, SUBSCRIBERS_PUBLISH] });
    expect(expiryGraceSeconds).toBe(30);
  });

  test('saves settings beside those that others changed, and not over them', async () => {
    await setSettings({ guestSeconds: 600, expiryGraceSeconds: 0 });
    await visit(page, '#/project');
    const guests = page.getByLabel('Guest lifetime (seconds)');
    const grace = page.getByLabel('Expiry grace (seconds)');
    await guests.fill('700');
    await setSettings({ expiryGraceSeconds: 60 });
    await save('Save the settings').click();
    await page.getByText('Change a setting; only what differs is sent.').waitFor();
    expect(await grace.inputValue()).toBe('60');

    await guests.fill('800');
    await grace.fill('90');
    await setSettings({ guestSeconds: 60 });
    await save('Save the settings').click();
    await note(page).waitFor();
    expect(await readSettings()).toMatchObject({ guestSeconds: 60, expiryGraceSeconds: 60 });
    await load(page).click();
    expect(await guests.inputValue()).toBe('60');
    expect(await grace.inputValue()).toBe('90');
    await save('Save the settings').click();
    await page.getByText('Change a setting; only what differs is sent.').waitFor();
    expect(await readSettings()).toMatchObject({ guestSeconds: 60, expiryGraceSeconds: 90 });
  });

  test('adds and removes a role without removing or restoring those of others', async () => {
    const [host, steward, usher] = ['host', 'steward', 'usher'].map((name) => ({ name, like: 'MODERATOR' }));
    await setPermissions({ roles: [host] });
    await visit(page, '#/project');
    await page.getByRole('button', { name: 'Add a role' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('usher');
    await setPermissions({ roles: [host, steward] });
    await dialog.getByRole('button', { name: 'Add the role' }).click();
    await note(dialog).waitFor();
    await load(dialog).click();
    await dialog.getByRole('button', { name: 'Add the role' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove usher' }).waitFor();

    await page.getByRole('button', { name: 'Remove host' }).click();
    await setPermissions({ roles: [host, usher] });
    await dialog.getByRole('button', { name: 'Remove host' }).click();
    await note(dialog).waitFor();
    await load(dialog).click();
    await dialog.getByRole('button', { name: 'Remove host' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await readSettings()).permissions.roles).toEqual([{ name: 'usher' }]);
  });

  test('does not save the grants of a token, the claims of an issuer or the history of a channel over others', async () => {
    const dialog = page.getByRole('dialog');
    const grants = (pattern: string) => [{ channels: pattern, actions: ['SUBSCRIBE'] }];
    const { createToken } = await signalbox.request(
      'mutation ($g: [GrantInput!]) { createToken(input: { identity: "ada", grants: $g }) { token { id } } }',
      { g: grants('room:*') },
    );
    const { id } = createToken.token;
    await visit(page, `#/tokens/${id}`);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await dialog.getByLabel('Connection data').fill('at the desk');
    await dialog.getByLabel('Channels of grant 1').fill('hall:*');
    await signalbox.request(
      'mutation ($id: ID!, $g: [GrantInput!]) { updateToken(id: $id, input: { grants: $g }) { id } }',
      { id, g: grants('room:1') },
    );
    // Enter sends unless the page has noticed by itself already.
    await dialog.getByLabel('Connection data').press('Enter');
    await note(dialog).waitFor();
    const { token } = await signalbox.request('query ($id: ID!) { token(id: $id) { grants { channels } } }', {
      id,
    });
    expect(token.grants).toEqual([{ channels: 'room:1' }]);
    await load(dialog).click();
    expect(await dialog.getByLabel('Channels of grant 1').inputValue()).toBe('room:1');
    expect(await dialog.getByLabel('Connection data').inputValue()).toBe('at the desk');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });

    const { createIssuer } = await signalbox.request(
      `mutation { createIssuer(input: { kind: JWKS, name: "Login", provider: {
        issuer: "https://login.example.com/", url: "https://192.0.2.1/keys", audience: "web", claims: { role: "role" }
      } }) { id } }`,
    );
    await visit(page, '#/keys');
    await page.getByRole('button', { name: 'Edit Login' }).click();
    await dialog.getByLabel('Connection data').fill('name');
    await signalbox.request(
      'mutation ($id: ID!) { updateIssuer(issuer: $id, input: { provider: { claims: { role: "role", grants: "rights" } } }) { id } }',
      { id: createIssuer.id },
    );
    await dialog.getByLabel('Connection data').press('Enter');
    await note(dialog).waitFor();
    await load(dialog).click();
    expect(await dialog.getByLabel('Grants', { exact: true }).inputValue()).toBe('rights');
    await dialog.getByLabel('Connection data').fill('name');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    const { project } = await signalbox.request(
      '{ project { issuers { provider { claims { grants connectionData } } } } }',
    );
    expect(project.issuers[0].provider.claims).toEqual({ grants: 'rights', connectionData: 'name' });

    await createChannel(signalbox, 'hall');
    await visit(page, '#/channels/hall');
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await dialog.getByLabel('Seconds to keep').fill('60');
    await signalbox.request(
      'mutation { updateChannel(id: "hall", input: { history: { messages: 7 } }) { id } }',
    );
    await dialog.getByLabel('Seconds to keep').press('Enter');
    await note(dialog).waitFor();
    await load(dialog).click();
    expect(await dialog.getByLabel('Messages to keep').inputValue()).toBe('7');
    expect(await dialog.getByLabel('Seconds to keep').inputValue()).toBe('');
  });
});
