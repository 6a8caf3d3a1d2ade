import { parse, validate } from 'graphql';
import { type BrowserContext, type Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { createGraphiql } from '../../src/transport/graphiql.ts';
import { launchChromium } from '../support/chromium.ts';
import { startService } from '../support/service.ts';

interface Tab {
  query: string;
  headers: string;
}

/** Imports the tabs dynamically, because the scripts of the page have no types. */
async function readTabs(): Promise<Tab[]> {
  const file = new URL('../../src/transport/graphiql/tabs.js', import.meta.url).href;
  const { defaultTabs } = (await import(file)) as { defaultTabs: Tab[] };
  return defaultTabs;
}

describe('GraphiQL files', () => {
  const graphiql = createGraphiql();
  const page = graphiql('/graphql');

  test('the content security policy allows local files only, and no inline script', () => {
    expect(page).toMatchObject({
      contentType: 'text/html; charset=utf-8',
      headers: {
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      },
    });
    const policy = page!.headers['content-security-policy'];
    expect(policy).toMatch(/default-src 'none'; script-src 'self';/);
    expect(policy).not.toMatch(/https?:|wss?:|\*|unsafe-eval/);
  });

  test('serves every file that the page references', () => {
    const named = [...page!.body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(5);
    for (const path of named) {
      const asset = graphiql(`/${path}`);
      expect(asset?.body.length, path).toBeGreaterThan(0);
      expect(asset?.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('serves no other path', () => {
    for (const path of [
      '/',
      '/graphql/',
      '/graphql/assets/',
      '/graphql/assets/page.html',
      '/graphql/assets/../graphiql.ts',
      '/graphql/assets/%2e%2e%2fgraphiql.ts',
      '/graphql/assets/__proto__',
    ])
      expect(graphiql(path), path).toBeUndefined();
  });

  test('the operations of the tabs are valid, and their lines fit the pane', async () => {
    const schema = createSchema();
    for (const { query, headers } of await readTabs()) {
      expect(validate(schema, parse(query))).toEqual([]);
      expect(query).toMatch(/^# \d\. /);
      expect(headers).toContain('Bearer ');
      for (const line of query.split('\n')) expect(line.length, line).toBeLessThanOrEqual(55);
    }
  });
});

/** Records the contacted hosts, and all errors and warnings of the pages. */
function record(context: BrowserContext) {
  const hosts = new Set<string>();
  const problems: string[] = [];
  const addHost = (url: string) => {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'data:') hosts.add(hostname);
  };
  context.on('request', (request) => addHost(request.url()));
  context.on('requestfailed', (request) => problems.push(`${request.url()} failed`));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('page', (page) => page.on('websocket', (socket) => addHost(socket.url())));
  return { hosts, problems };
}

interface EditorElement {
  CodeMirror: { getValue(): string; setValue(text: string): void; operationName?: string };
}

/** One GraphiQL page, operated through its user interface. */
class Window {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(context: BrowserContext, url: string): Promise<Window> {
    const page = await context.newPage();
    // Shorter than the timeout of the test, so that the error names the missing element.
    page.setDefaultTimeout(30_000);
    const introspected = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.goto(`${url}/graphql`);
    expect((await introspected).status()).toBe(200);
    return new Window(page);
  }

  get #query() {
    return this.#page.locator('.graphiql-query-editor .CodeMirror');
  }

  async tab(name: string): Promise<void> {
    await this.#page.getByRole('tab', { name, exact: true }).click();
    await this.#waitForOperation(name);
  }

  /** Replaces `placeholder` by `value` in the pane. */
  async enter(pane: 'Headers' | 'Variables', placeholder: string, value: string): Promise<void> {
    await this.#page.getByRole('button', { name: pane, exact: true }).click();
    const editor = this.#page.locator('.graphiql-editor-tool .CodeMirror:visible');
    await editor.filter({ hasText: placeholder }).evaluate(
      (element, [from, to]) => {
        const { CodeMirror } = element as unknown as EditorElement;
        CodeMirror.setValue(CodeMirror.getValue().replace(from, () => to));
      },
      [placeholder, value] as const,
    );
  }

  /** Sets the document of the tab. `name` is its first operation. */
  async write(name: string, document: string): Promise<void> {
    await this.#query.evaluate((element: unknown, text) => {
      (element as EditorElement).CodeMirror.setValue(text);
    }, document);
    await this.#waitForOperation(name);
    await this.#page.getByRole('tab', { name, selected: true }).waitFor();
  }

  /** Waits until GraphiQL has parsed the new document. Before that, play would run the previous one. */
  async #waitForOperation(name: string): Promise<void> {
    await this.#page.waitForFunction(
      ([element, operation]) => (element as unknown as EditorElement).CodeMirror.operationName === operation,
      [await this.#query.elementHandle(), name] as const,
    );
  }

  /** Presses play, and chooses `operation` if the document has several. */
  async play(operation?: string): Promise<void> {
    await this.#page.getByRole('button', { name: /^Execute query/ }).click();
    if (operation) await this.#page.getByRole('menuitem', { name: operation, exact: true }).click();
  }

  /** Waits for a result that contains the text, and resolves to the result. */
  async shows(text: string): Promise<any> {
    await this.#page.locator('.result-window .CodeMirror-code').filter({ hasText: text }).waitFor();
    return JSON.parse(
      await this.#page
        .locator('.result-window .CodeMirror')
        .evaluate((element) => (element as unknown as EditorElement).CodeMirror.getValue()),
    );
  }
}

describe('GraphiQL in a browser', () => {
  test('the tabs work from creating a channel to presence, and contact no other host', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launchChromium(scope);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const { hosts, problems } = record(context);

    const first = await Window.open(context, signalbox.url);
    await first.enter('Headers', 'key_…', signalbox.apiKey);
    await first.play();
    await first.shows('"id": "lobby"');
    await first.tab('CreateToken');
    await first.play();
    const { token, credential } = (await first.shows('"credential"')).data.createToken;
    await first.tab('Events');
    await first.enter('Headers', 'credential_…', credential);
    await first.play();
    const connected = await first.shows('"__typename": "Connected"');
    expect(connected.data.events.channels).toEqual([{ id: 'lobby', state: {} }]);

    const second = await Window.open(context, signalbox.url);
    await second.tab('Publish');
    await second.enter('Headers', 'key_…', signalbox.apiKey);
    await second.play();
    const { cursor } = (await second.shows('"connections": 1')).data.publishMessage.message;
    const { message } = (await first.shows('"text": "hello"')).data.events;
    expect(message).toEqual({ cursor, channel: 'lobby', event: 'greeting', data: { text: 'hello' } });

    await second.tab('PublishDirect');
    await second.enter('Variables', 'token_…', token.id);
    await second.play('PublishDirect');
    await first.shows('"__typename": "DirectMessage"');
    await second.play('IsOnline');
    await second.shows('"isOnline": true');

    await second.tab('Presence');
    await second.play();
    await second.shows('"identity": "ada"');

    await second.tab('Unsubscribe');
    await second.enter('Variables', 'token_…', token.id);
    await second.play('Unsubscribe');
    await first.shows('"reason": "UNSUBSCRIBED"');
    await second.play('Subscribe');
    await first.shows('"__typename": "ChannelAvailable"');

    expect([...hosts]).toEqual(['127.0.0.1']);
    expect(problems).toEqual([]);
  });

  test('the browser stores the query, but not the credential', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launchChromium(scope);
    const context = await browser.newContext();
    const window = await Window.open(context, signalbox.url);
    await window.enter('Headers', 'key_…', signalbox.apiKey);
    // Once GraphiQL has parsed the document, it has read the headers too, which its history would store.
    await window.write('WhoAmI', 'query WhoAmI { viewer { kind } }');
    await window.play();
    await window.shows('"kind": "API_KEY"');

    const { origins } = await context.storageState();
    const stored = origins.flatMap(({ localStorage }) => localStorage);
    expect(stored.find(({ name }) => name === 'graphiql:queries')?.value).toContain('WhoAmI');
    expect(JSON.stringify(stored)).not.toContain(signalbox.apiKey);
  });

  test('a placeholder is refused with a hint, then replaced by the key, token or credential used or created last', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launchChromium(scope);
    const context = await browser.newContext();

    const window = await Window.open(context, signalbox.url);
    await window.play();
    await window.shows('Replace key_… under Headers');
    await window.tab('Events');
    await window.play();
    await window.shows('Play tab 2 in this window first');
    await window.tab('CreateChannel');
    await window.enter('Headers', 'key_…', signalbox.apiKey);
    await window.play();
    await window.shows('"id": "lobby"');
    await window.tab('CreateToken');
    await window.play();
    await window.shows('"credential"');
    await window.tab('PublishDirect');
    await window.play('PublishDirect');
    await window.shows('"connections": 0');
    await window.tab('Events');
    await window.play();
    await window.shows('"id": "lobby"');
  });

  test('a subscription resumes from the last cursor after its socket was closed', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launchChromium(scope);
    const { request } = signalbox;
    await request(`mutation { createChannel(input: { id: "lobby" }) { id } }`);
    const { createToken } = await request(
      `mutation { createToken(input: { channels: ["lobby"] }) { credential } }`,
    );
    const publish = async (text: string) =>
      (
        await request(
          `mutation ($data: JSON) { publishMessage(channel: "lobby", event: "e", data: $data) { message { cursor } } }`,
          { data: { text } },
        )
      ).publishMessage.message.cursor;

    const context = await browser.newContext();
    const sent: { type: string; payload?: any }[] = [];
    let cut!: () => Promise<void>;
    await context.routeWebSocket('**/graphql', (socket) => {
      const service = socket.connectToServer();
      socket.onMessage((message) => {
        sent.push(JSON.parse(String(message)));
        service.send(message);
      });
      cut = () => socket.close({ code: 1012, reason: 'restart' });
    });
    const window = await Window.open(context, signalbox.url);
    await window.tab('Events');
    await window.enter('Headers', 'credential_…', createToken.credential);
    await window.play();
    await window.shows('"__typename": "Connected"');
    const cursor = await publish('before');
    await window.shows('"text": "before"');
    await cut();
    await publish('meanwhile');
    await window.shows('"text": "meanwhile"');

    expect(sent.filter(({ type }) => type === 'connection_init')[0]?.payload).toEqual({
      token: createToken.credential,
    });
    const subscribed = sent.filter(({ type }) => type === 'subscribe');
    expect(subscribed.map(({ payload }) => payload.variables.since)).toEqual([undefined, cursor]);
  });

  test('setPresence is sent over the WebSocket', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launchChromium(scope);
    const { createToken } = await signalbox.request(`mutation { createToken { credential } }`);
    const context = await browser.newContext();
    const window = await Window.open(context, signalbox.url);
    await window.enter('Headers', 'key_…', createToken.credential);
    await window.write('Show', 'mutation Show { setPresence(state: "here") { state transport } }');
    await window.play();
    await window.shows('"transport": "WEBSOCKET"');
  });
});
