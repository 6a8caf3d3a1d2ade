import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, skipsBrowser } from '../support/chromium.ts';
import { createProxy } from '../support/proxy.ts';
import { startService, type TestService } from '../support/service.ts';
import { act, expectToFit, findViolations, record, signIn, visit } from './console-page.ts';

// 150 runs of axe take a while on a machine that does other things, too.
vi.setConfig({ testTimeout: 240_000 });

/** Text that would do something if a page rendered it as HTML. */
const MARKUP = `"><img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;

/** The names of the mutations that the console can send. */
const OPERATIONS = fileURLToPath(new URL('../../console/operations/', import.meta.url));
const MUTATIONS = readdirSync(OPERATIONS)
  .flatMap((file) => readFileSync(join(OPERATIONS, file), 'utf8').match(/^mutation \w+/gm) ?? [])
  .map((text) => text.replace('mutation ', ''))
  .sort();

let signalbox: TestService;
let browser: Browser;
let token: string;
let connection: { dispose(): void };

/** One service with something to show on every page, and one browser for all tests. */
beforeAll(async () => {
  if (skipsBrowser) return;
  [signalbox, browser] = await Promise.all([startService({ mode: 'development' }), launchChromium()]);
  const { request } = signalbox;
  await request(
    `mutation ($markup: JSON!) {
      a: createChannel(input: { id: "room:1", state: $markup }) { id }
      b: createChannel(input: { id: "lobby", type: PUBLIC, history: { messages: 100 } }) { id }
    }`,
    { markup: { text: MARKUP } },
  );
  const { createToken } = await request(
    `mutation ($markup: String!, $json: JSON!) {
      createToken(input: { identity: "ada", channels: ["room:1"], connectionData: $markup, state: $json, expiresIn: 86400 }) { token { id } credential }
    }`,
    { markup: MARKUP, json: { text: MARKUP } },
  );
  token = createToken.token.id;
  await request(
    `mutation ($markup: String!, $json: JSON!, $token: ID!) {
      a: publishMessage(channel: "room:1", event: "said", data: $json) { connections }
      b: publishMessage(channel: "room:1", event: "said", data: $json) { connections }
      c: mute(channel: "room:1", token: $token, reason: $markup) { id }
      d: revokeTokens(identity: "mallory") { connections }
      e: createApiKey(name: $markup, scopes: [PUBLISH]) { secret }
      f: createIssuer(input: { kind: STREAM, name: $markup, key: { id: "stream", secret: "secret-of-stream-chat-of-32-bytes" } }) { id }
      g: updateProject(settings: { permissions: { roles: [{ name: "host", like: MODERATOR }], kinds: [{ name: "stage", type: PUBLIC }] } }) { id }
    }`,
    { markup: MARKUP, json: { text: MARKUP }, token },
  );
  const client = signalbox.client({ token: createToken.credential });
  const results = client.iterate({ query: 'subscription { events { __typename } }' });
  await results.next();
  connection = { dispose: () => void client.dispose() };
});

afterAll(async () => {
  if (skipsBrowser) return;
  connection.dispose();
  await browser.close();
  await signalbox[Symbol.asyncDispose]();
});

async function withContext(run: (context: BrowserContext) => Promise<void>): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
  });
  try {
    await run(context);
  } finally {
    await context.close();
  }
}

const HASHES = () => [
  '#/overview',
  '#/tokens',
  `#/tokens/${token}`,
  '#/channels',
  '#/channels/room%3A1',
  '#/connections',
  '#/messages',
  '#/moderation',
  '#/explain',
  '#/activity',
  '#/keys',
  '#/project',
];

describe.skipIf(skipsBrowser)('the console in Chromium', () => {
  test('does the whole job of an operator: mint, connect, subscribe, publish, see, mute, disconnect, revoke', async () => {
    await withContext(async (context) => {
      const report = await record(context);
      const page = await signIn(context, signalbox.url, signalbox.apiKey);

      await visit(page, '#/tokens');
      await act(page, 'Create token', { Identity: 'grace' }, 'Create token');
      const [client] = await Promise.all([
        context.waitForEvent('page'),
        page.getByRole('button', { name: 'Open test client' }).click(),
      ]);
      await client.getByText('Connected.', { exact: true }).waitFor();
      // Chromium draws a page in the background once a second, which would slow every step down.
      await page.bringToFront();
      await page.getByRole('img', { name: 'The credential as a QR code' }).waitFor();
      await page.getByRole('button', { name: 'Go to the token' }).click();
      await page.getByRole('heading', { name: 'grace', level: 1 }).waitFor();
      const own = page.url();

      await visit(page, '#/channels');
      await act(page, 'Create channel', { Id: 'story' }, 'Create channel');
      await page.getByRole('heading', { name: 'story', level: 1 }).waitFor();
      await page.goto(own);
      await act(page, 'Subscribe to a channel', { Channel: 'story' }, 'Subscribe');
      await client.getByText('Subscribed to story').waitFor();

      await page.getByRole('link', { name: 'story' }).first().click();
      await page.getByLabel('Data', { exact: true }).fill('{ "text": "to all" }');
      await page.getByRole('button', { name: 'Publish', exact: true }).click();
      // The test client, and the live messages of the page itself.
      await page.getByText(/was delivered to 2 live connections/).waitFor();
      await client.getByText('story · message {"text":"to all"}').waitFor();
      await page
        .getByRole('region', { name: 'Live messages' })
        .getByText('{"text":"to all"}')
        .first()
        .waitFor();

      expect(await findViolations(client)).toEqual([]);
      await page.bringToFront();
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(own);
      await page.getByText('online', { exact: true }).first().waitFor();
      await page.getByRole('button', { name: 'Direct message' }).click();
      const direct = page.getByRole('dialog');
      await direct.getByLabel('Data', { exact: true }).fill('{ "text": "to you" }');
      await direct.getByRole('button', { name: 'Publish', exact: true }).click();
      await direct.getByText(/was delivered to 1 live connection\.$/).waitFor();
      await client.getByText('Direct · message {"text":"to you"}').waitFor();
      await page.keyboard.press('Escape');
      await direct.waitFor({ state: 'detached' });

      await act(page, 'Mute', { Channel: 'story', Reason: 'too loud' }, 'Mute');
      await client.getByText('MUTE in story: too loud').waitFor();
      await page.getByText('muted', { exact: true }).waitFor();
      // The test client says whose it is, and suggests the channel that it was subscribed to.
      await client.getByRole('heading', { name: 'Test client: grace' }).waitFor();
      expect(await client.getByLabel('Channel').inputValue()).toBe('story');
      await client.getByRole('button', { name: 'Publish' }).click();
      await client.getByRole('alert').getByText('FORBIDDEN').waitFor();

      await act(page, 'Disconnect', {}, 'Disconnect');
      await client.getByText('You were disconnected by a moderator.').waitFor();
      await page.getByText('offline', { exact: true }).first().waitFor();
      await act(page, 'Revoke', {}, 'Revoke for good');
      await page.getByText('revoked', { exact: true }).first().waitFor();
      expect(await page.getByRole('button', { name: 'Subscribe to a channel' }).count()).toBe(0);
      expect(report.problems).toEqual([]);
    });
  });

  test('shows markup as text, keeps the API key in memory only, fits every screen and has nothing that axe finds', async () => {
    await withContext(async (context) => {
      const report = await record(context);
      const entry = await context.newPage();
      await entry.goto(`${signalbox.url}/console`);
      await entry.getByRole('textbox', { name: 'API key' }).fill('key_wrong');
      await entry.getByRole('button', { name: 'Sign in' }).click();
      await entry.getByRole('alert').waitFor();
      const violations = await findViolations(entry);
      await entry.close();
      const page = await signIn(context, signalbox.url, signalbox.apiKey);
      await visit(page, '#/explain');
      await page.getByRole('textbox', { name: 'Token' }).fill(token);
      await page.getByLabel('Channel', { exact: true }).fill('room:1');
      await page.getByRole('button', { name: 'Explain', exact: true }).click();
      await page.getByText('Allowed', { exact: true }).waitFor();
      const { publishMessage } = await signalbox.request(
        'mutation { publishMessage(channel: "room:1", event: "asked") { message { id } } }',
      );
      await page.getByLabel('Message', { exact: true }).fill(publishMessage.message.id);
      await page.getByLabel('Recipient', { exact: true }).fill(token);
      await page.getByRole('button', { name: 'Explain the delivery' }).click();
      await page.getByText('DELIVERED', { exact: true }).waitFor();
      violations.push(...(await findViolations(page)));
      await visit(page, '#/tokens');
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.getByRole('button', { name: 'Create token' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Add a grant' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Show GraphQL' }).click();
      violations.push(...(await findViolations(page)));
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      for (const hash of HASHES()) {
        await visit(page, hash);
        violations.push(...(await findViolations(page)));
        await expectToFit(page);
        expect(await page.title()).not.toContain('pwned');
      }
      expect(violations).toEqual([]);
      expect(report.problems).toEqual([]);
      const secret = signalbox.apiKey.split('.')[1]!;
      const kept = await page.evaluate<string>(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.documentElement.outerHTML])',
      );
      expect(kept).not.toContain(secret);
      expect(report.urls.length).toBeGreaterThan(3);
      expect(report.urls.filter((url) => url.includes(secret) || !url.includes('//127.0.0.1:'))).toEqual([]);
    });
  });

  test('every action shows the GraphQL that it sends, and axe finds nothing in any dialog', async () => {
    await signalbox.request('mutation { ban(channel: "lobby", identity: "mallory") { id } }');
    await withContext(async (context) => {
      const report = await record(context);
      const page = await signIn(context, signalbox.url, signalbox.apiKey);
      const dialog = page.getByRole('dialog');
      const violations: string[] = [];
      const shown = new Set<string>();
      const show = async (form: Locator) => {
        await form.getByRole('button', { name: 'Show GraphQL' }).click();
        const operation = await form.getByRole('region', { name: 'Operation' }).innerText();
        return /mutation (\w+)/.exec(operation)?.[1] ?? '';
      };
      const close = async () => {
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
      };
      for (const key of ['/', '?']) {
        await page.keyboard.press(key);
        violations.push(...(await findViolations(page, '[role=dialog]')));
        await close();
      }
      await page.setViewportSize({ width: 1440, height: 900 });
      for (const hash of HASHES()) {
        await visit(page, hash);
        // “Disconnect” and others are in several rows.
        const opened = new Set<string>();
        for (const opener of await page.locator('main button[aria-haspopup=dialog]').all()) {
          const label = (await opener.getAttribute('aria-label')) ?? (await opener.innerText());
          const action = label.replace(/(key|conn|token)_\w+/, '…');
          if (opened.size === opened.add(action).size) continue;
          await opener.click();
          const fields = dialog.locator('input, select, textarea');
          if ((await fields.count()) > 0)
            await dialog.locator(':focus:is(input, select, textarea)').waitFor();
          // An example looks like a value: “room:1” in an empty field that stands for all channels muted in all.
          for (const field of await fields.all())
            expect((await field.getAttribute('placeholder')) ?? '').toMatch(
              /^$|…|^For example |^All |^Generated when empty$/,
            );
          const mutation = await show(dialog);
          // On other pages the same dialog has the same fields.
          if (shown.size < shown.add(mutation).size || mutation === 'UpdateProject') {
            violations.push(...(await findViolations(page, '[role=dialog]')));
            await page.setViewportSize({ width: 1440, height: 900 });
          }
          await close();
        }
        const edit = page.getByRole('button', { name: 'Edit the state' });
        if ((await edit.count()) > 0) await edit.click();
        for (const form of await page.locator('main form').all())
          if ((await form.getByRole('button', { name: 'Check' }).count()) === 0) shown.add(await show(form));
      }
      expect(violations).toEqual([]);
      expect([...shown].filter(Boolean).sort()).toEqual(MUTATIONS);
      expect(report.problems).toEqual([]);
    });
  });

  test('adds a role to the matrix, narrows a token for a time, and lets the service check a credential', async () => {
    await withContext(async (context) => {
      const page = await signIn(context, signalbox.url, signalbox.apiKey);
      await visit(page, '#/project');
      await act(page, 'Add a role', { Name: 'steward' }, 'Add the role');
      await page.getByRole('group', { name: 'steward in PRIVATE' }).waitFor();
      await act(page, 'Remove steward', {}, 'Remove steward');
      await page.getByRole('group', { name: 'steward in PRIVATE' }).waitFor({ state: 'detached' });

      await visit(page, '#/tokens');
      await page.getByRole('button', { name: 'Create token' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Add a grant' }).click();
      await dialog.getByLabel('Channels of grant 1').fill('room:*');
      await dialog.getByLabel('Grant 1 expires').fill('2040-01-31T12:00');
      await dialog.getByLabel('Expires at, instead of a lifetime').fill('2041-01-31T12:00');
      await dialog.getByRole('button', { name: 'Create token', exact: true }).click();
      const credential = await page.getByRole('region', { name: 'Credential' }).innerText();
      await page.getByRole('button', { name: 'Go to the token' }).click();
      await page.getByText(/room:\*.*2040/).waitFor();
      await page.locator('time[title*="2041"], time[datetime^="2041-01-31"]').waitFor();

      await visit(page, '#/keys');
      for (const [pasted, verdict] of [
        [credential, 'The service accepts it as a token without an identity'],
        [`${credential.slice(0, -8)}AAAAAAAA`, 'UNAUTHENTICATED'],
      ] as const) {
        await page.getByRole('textbox', { name: 'Credential' }).fill(pasted);
        await page.getByRole('button', { name: 'Check' }).click();
        await page.getByRole('button', { name: 'Connect with it once' }).click();
        await page.getByText(verdict).first().waitFor();
      }
    });
  });

  test('begins the activity of a token with what happened before, and shows nothing twice after a pause or a lost connection', async () => {
    const { createToken } = await signalbox.request(
      'mutation { createToken(input: { identity: "hedy" }) { token { id } } }',
    );
    const { id } = createToken.token;
    const send = (event: string) =>
      signalbox.request(
        'mutation ($t: ID!, $e: String!) { publishDirectMessage(token: $t, event: $e) { connections } }',
        { t: id, e: event },
      );
    await send('before');
    await using proxy = await createProxy(Number(new URL(signalbox.url).port));
    await withContext(async (context) => {
      const page = await signIn(context, `http://127.0.0.1:${proxy.port}`, signalbox.apiKey);
      await visit(page, `#/tokens/${id}`);
      const activity = page.getByRole('region', { name: 'Live activity' });
      const rows = activity.locator('tbody tr');
      const expectRows = async (...texts: string[]) => {
        await rows.nth(texts.length - 1).waitFor();
        const shown = await rows.allInnerTexts();
        expect(shown.map((row) => texts.find((text) => row.includes(text)))).toEqual(texts);
      };
      await expectRows('before', 'token.create');
      await send('during');
      await expectRows('during', 'before', 'token.create');
      await page.getByRole('button', { name: 'Pause' }).click();
      await send('paused');
      await page.getByRole('button', { name: 'Continue' }).click();
      await expectRows('paused', 'during', 'before', 'token.create');
      const release = proxy.hold();
      proxy.cut();
      await page.getByRole('status').getByText('offline').waitFor();
      await send('away');
      release();
      await expectRows('away', 'paused', 'during', 'before', 'token.create');
      await send('back');
      await expectRows('back', 'away', 'paused', 'during', 'before', 'token.create');
    });
  });

  test('shows a key with the scope READ no button that writes', async () => {
    const { createApiKey } = await signalbox.request(
      'mutation { createApiKey(name: "reader", scopes: [READ]) { secret } }',
    );
    await withContext(async (context) => {
      const page = await signIn(context, signalbox.url, createApiKey.secret);
      const names = new Set<string>();
      for (const hash of HASHES().filter((address) => address !== '#/messages')) {
        await visit(page, hash);
        for (const button of await page.locator('main button:not(.sort)').all())
          names.add((await button.getAttribute('aria-label')) ?? (await button.innerText()));
      }
      expect([...names].sort()).toEqual([
        'Check',
        'Clear',
        'Explain',
        'Explain the delivery',
        'Newer',
        'Older',
        'Pause',
        'Show GraphQL',
      ]);
      await page.goto(`${signalbox.url}/console#/messages`);
      await page.getByText('There is no such page').waitFor();
      expect(await page.getByRole('link', { name: 'Messages' }).count()).toBe(0);
    });
  });
});
