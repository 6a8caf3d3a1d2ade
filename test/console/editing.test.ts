import { generateKeyPairSync } from 'node:crypto';
import { type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { startService, type TestService } from '../support/service.ts';
import { act, expectToFit, findViolations, record, signIn, visit, type Report } from './console-page.ts';

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

const ISSUERS = `{ project { issuers {
  id name service keys { id } provider { issuer url audiences algorithms claims { identity audience role grants connectionData } }
} } }`;

async function issuerNamed(name: string) {
  const { project } = await signalbox.request(ISSUERS);
  return project.issuers.find((issuer: { name: string }) => issuer.name === name);
}

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

/** Replaces the tags of a field. */
async function fillTags(form: Locator, label: string, tags: readonly string[]): Promise<void> {
  const field = form.getByLabel(label, { exact: true });
  await field.fill('');
  for (let left = await form.locator('.mantine-Pill-root').count(); left > 0; left--)
    await field.press('Backspace');
  for (const tag of tags) {
    await field.fill(tag);
    await field.press('Enter');
  }
}

describe.skipIf(skipsBrowser)('editing in the console', () => {
  test('adds an OpenID provider with all its properties, and changes only those that differ', async () => {
    await visit(page, '#/keys');
    await page.getByText('No issuers').waitFor();
    await page.getByRole('button', { name: 'Add an issuer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Kind').selectOption({ label: 'An OpenID provider' });
    await dialog.getByLabel('Name', { exact: true }).fill('Login');
    await dialog.getByLabel('Issuer', { exact: true }).fill('https://login.example.com/');
    await dialog.getByLabel('Key set', { exact: true }).fill('https://192.0.2.1/keys');
    await fillTags(dialog, 'Audiences', ['web', 'app, beta']);
    await dialog.getByLabel('ES256', { exact: true }).check();
    await dialog.getByLabel('Role', { exact: true }).fill('/realm_access/role');
    await submit(dialog, 'Add the issuer');
    const { id, ...created } = await issuerNamed('Login');
    const provider = {
      issuer: 'https://login.example.com/',
      url: 'https://192.0.2.1/keys',
      audiences: ['web', 'app, beta'],
      algorithms: ['RS256', 'ES256'],
    };
    const claims = { identity: 'sub', audience: 'aud', role: '/realm_access/role' };
    expect(created).toMatchObject({ provider: { ...provider, claims } });
    await page.getByText('identity: sub, audience: aud, role: /realm_access/role').waitFor();

    await page.getByRole('button', { name: 'Edit Login' }).click();
    const violations = await findViolations(page);
    await expectToFit(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Key set', { exact: true }).fill('http://192.0.2.1/keys');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText('BAD_USER_INPUT').waitFor();
    violations.push(...(await findViolations(page, '[role=dialog]')));
    expect(violations).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });
    await dialog.getByLabel('Key set', { exact: true }).fill(provider.url);
    await fillTags(dialog, 'Audiences', ['web']);
    await dialog.getByLabel('Role', { exact: true }).fill('');
    await dialog.getByLabel('Grants', { exact: true }).fill('rights');
    expect(await shownVariables(dialog)).toEqual({
      issuer: id,
      input: {
        provider: { audiences: ['web'], claims: { identity: 'sub', audience: 'aud', grants: 'rights' } },
      },
    });
    await submit(dialog, 'Save');
    expect(await issuerNamed('Login')).toMatchObject({
      provider: { ...provider, audiences: ['web'], claims: { role: null, grants: 'rights' } },
    });
    expect(report.problems).toEqual([]);
  });

  test('adds an issuer of Twilio, changes and clears its Sync service, and keeps secrets out of what it shows', async () => {
    await page.getByRole('button', { name: 'Add an issuer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Kind').selectOption('TWILIO');
    for (const [label, value] of [
      ['Name', 'Sync'],
      ['Account SID', 'AC1'],
      ['Service SID', 'IS1'],
      ['Key id', 'SK1'],
      ['Secret', 'secret of Twilio'],
    ] as const)
      await dialog.getByLabel(label, { exact: true }).fill(value);
    await submit(dialog, 'Add the issuer');
    expect(await issuerNamed('Sync')).toMatchObject({ service: 'IS1', keys: [{ id: 'SK1' }] });
    await act(page, 'Edit Sync', { 'Service SID': 'IS2', Name: 'Sync of old' }, 'Save');
    expect(await issuerNamed('Sync of old')).toMatchObject({ service: 'IS2' });
    await page.getByRole('button', { name: 'Edit Sync of old' }).click();
    await dialog.getByLabel('Service SID').fill('');
    expect(await shownVariables(dialog)).toMatchObject({ input: { service: null } });
    await submit(dialog, 'Save');
    expect(await issuerNamed('Sync of old')).toMatchObject({ service: null });

    await page.getByRole('button', { name: 'Add a key to Sync of old' }).click();
    await dialog.getByLabel('Secret', { exact: true }).fill('given up');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add a key to Sync of old' }).click();
    expect(await dialog.getByLabel('Secret', { exact: true }).inputValue()).toBe('');
    await dialog.getByLabel('Key id').fill('SK2');
    await dialog.getByLabel('Secret', { exact: true }).fill('another secret');
    expect(await shownVariables(dialog)).toMatchObject({ key: { id: 'SK2', secret: '…' } });
    await submit(dialog, 'Add the key');
    await page.getByRole('button', { name: 'Remove key SK1' }).click();
    await dialog.getByLabel('Accept credentials that are signed with it for').selectOption('3600');
    await submit(dialog, 'Remove the key');
    await page.getByText('Key SK1, expires in').waitFor();
    await page.getByText('Key SK2, expires never').waitFor();
  });

  test('adds a Vonage application by its public key', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await visit(page, '#/keys');
    await page.getByRole('button', { name: 'Add an issuer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Kind').selectOption('OPENTOK');
    await dialog.getByLabel('Name', { exact: true }).fill('Video');
    await dialog.getByLabel('Signed with').selectOption('public');
    await dialog.getByLabel('Key id').fill('application');
    await dialog.getByLabel('Public key').fill(publicKey.export({ type: 'spki', format: 'pem' }).toString());
    await submit(dialog, 'Add the issuer');
    expect(await issuerNamed('Video')).toMatchObject({ keys: [{ id: 'application' }] });
  });

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
  });

  test('the operator creates a project and a key of it, and another key sees no projects', async () => {
    await visit(page, '#/project');
    await act(page, 'Create project', { Id: 'second' }, 'Create project');
    const dialog = page.getByRole('dialog');
    const secret = (await dialog.getByRole('region', { name: 'API key' }).innerText()).trim();
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: /second/ }).waitFor();
    await visit(page, '#/keys');
    await page.getByRole('button', { name: 'Create API key' }).click();
    await dialog.getByLabel('Project', { exact: true }).fill('second');
    await dialog.getByRole('button', { name: 'Create API key', exact: true }).click();
    await dialog.getByRole('region', { name: 'API key' }).waitFor();
    await page.keyboard.press('Escape');
    // The next key must not get into the other project by oversight.
    await page.getByRole('button', { name: 'Create API key' }).click();
    expect(await dialog.getByLabel('Project', { exact: true }).inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Reseal the secrets' }).click();
    await dialog.getByRole('button', { name: 'Reseal', exact: true }).click();
    await dialog.getByText('Every secret was sealed under the first master key already.').waitFor();
    await page.keyboard.press('Escape');
    const other = await signIn(page.context(), signalbox.url, secret);
    await visit(other, '#/project');
    await other.getByRole('heading', { name: 'Settings' }).waitFor();
    expect(await other.getByRole('heading', { name: 'Projects' }).count()).toBe(0);
    await visit(other, '#/keys');
    expect(await other.getByRole('button', { name: 'Reseal the secrets' }).count()).toBe(0);
    await other.getByRole('row', { name: 'READ' }).waitFor();
    await other.close();
    expect(report.problems).toEqual([]);
  });
});
