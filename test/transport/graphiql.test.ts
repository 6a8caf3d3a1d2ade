import { existsSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { describe, expect, test, type TestContext } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { createGraphiql } from '../../src/transport/graphiql.ts';
import { startService } from '../support/service.ts';

interface Tab {
  query: string;
  headers: string;
}

/** The page's own scripts are written for browsers and have no types. */
async function readTabs(): Promise<Tab[]> {
  const file = new URL('../../src/transport/graphiql/tabs.js', import.meta.url).href;
  const { defaultTabs } = (await import(file)) as { defaultTabs: Tab[] };
  return defaultTabs;
}

describe('the files', () => {
  const graphiql = createGraphiql();
  const page = graphiql('/graphql');

  test('the page may load nothing that is not ours, and runs no inline script', () => {
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

  test('all that the page names is served', () => {
    const named = [...page!.body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(5);
    for (const path of named) {
      const asset = graphiql(`/${path}`);
      expect(asset?.body.length, path).toBeGreaterThan(0);
      expect(asset?.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('no other path is a file', () => {
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

  test('every operation of the tabs fits the schema, and their lines fit the pane', async () => {
    const schema = createSchema();
    for (const { query, headers } of await readTabs()) {
      expect(validate(schema, parse(query))).toEqual([]);
      expect(query).toMatch(/^# \d\. /);
      expect(headers).toContain('Bearer ');
      for (const line of query.split('\n')) expect(line.length, line).toBeLessThanOrEqual(55);
    }
  });
});

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const missing = existsSync(CHROMIUM)
  ? undefined
  : `There is no Chromium at ${CHROMIUM}: install it or set CHROMIUM.`;
if (missing) process.stderr.write(`GraphiQL in a browser: ${missing}\n`);

/** A browser; the test is skipped where there is none, unless all servers are required. */
async function launch({ skip }: TestContext): Promise<Browser> {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** What must not happen while a page is used. */
function watch(context: BrowserContext) {
  const hosts = new Set<string>();
  const complaints: string[] = [];
  const note = (url: string) => {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'data:') hosts.add(hostname);
  };
  context.on('request', (request) => note(request.url()));
  context.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('page', (page) => page.on('websocket', (socket) => note(socket.url())));
  return { hosts, complaints };
}

interface EditorElement {
  CodeMirror: { getValue(): string; setValue(text: string): void; operationName?: string };
}

/** One GraphiQL page, used as a person does. */
class Window {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(context: BrowserContext, url: string): Promise<Window> {
    const page = await context.newPage();
    // Sooner than the test's own, so that what did not come is named.
    page.setDefaultTimeout(15_000);
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
    await this.#understands(name);
  }

  /** Puts `value` in the place of `placeholder` in the pane. */
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

  /** Writes the document of the tab, whose first operation is `name`. */
  async write(name: string, document: string): Promise<void> {
    await this.#query.evaluate((element: unknown, text) => {
      (element as EditorElement).CodeMirror.setValue(text);
    }, document);
    await this.#understands(name);
    await this.#page.getByRole('tab', { name, selected: true }).waitFor();
  }

  /** GraphiQL reads a new document a moment after it is there; play would run the one before. */
  async #understands(name: string): Promise<void> {
    await this.#page.waitForFunction(
      ([element, operation]) => (element as unknown as EditorElement).CodeMirror.operationName === operation,
      [await this.#query.elementHandle(), name] as const,
    );
  }

  /** Presses play, and picks an operation where the document has several. */
  async play(operation?: string): Promise<void> {
    await this.#page.getByRole('button', { name: /^Execute query/ }).click();
    if (operation) await this.#page.getByRole('menuitem', { name: operation, exact: true }).click();
  }

  /** The result that is shown, as soon as it contains the text. */
  async shows(text: string): Promise<any> {
    await this.#page.locator('.result-window .CodeMirror-code').filter({ hasText: text }).waitFor();
    return JSON.parse(
      await this.#page
        .locator('.result-window .CodeMirror')
        .evaluate((element) => (element as unknown as EditorElement).CodeMirror.getValue()),
    );
  }
}

describe('in a browser', () => {
  test('a newcomer does the main job, and nothing leaves for another host', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launch(scope);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const { hosts, complaints } = watch(context);

    const first = await Window.open(context, signalbox.url);
    await first.enter('Headers', 'key_…', signalbox.apiKey);
    await first.play();
    await first.shows('"id": "lobby"');
    await first.tab('MakeToken');
    await first.play();
    const { token, credential } = (await first.shows('"credential"')).data.createToken;
    await first.tab('Listen');
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
    expect(complaints).toEqual([]);
  });

  test('the browser keeps what was asked, but not who asked', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launch(scope);
    const context = await browser.newContext();
    const window = await Window.open(context, signalbox.url);
    await window.enter('Headers', 'key_…', signalbox.apiKey);
    // Once it has read the document, it has read the headers too, which its history would keep.
    await window.write('WhoAmI', 'query WhoAmI { viewer { kind } }');
    await window.play();
    await window.shows('"kind": "API_KEY"');

    const { origins } = await context.storageState();
    const stored = origins.flatMap(({ localStorage }) => localStorage);
    expect(stored.find(({ name }) => name === 'graphiql:queries')?.value).toContain('WhoAmI');
    expect(JSON.stringify(stored)).not.toContain(signalbox.apiKey);
  });

  test('a placeholder stands for what was used or made last in the window', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launch(scope);
    const context = await browser.newContext();

    const window = await Window.open(context, signalbox.url);
    await window.play();
    await window.shows('"code": "UNAUTHENTICATED"');
    await window.enter('Headers', 'key_…', signalbox.apiKey);
    await window.play();
    await window.shows('"id": "lobby"');
    await window.tab('MakeToken');
    await window.play();
    await window.shows('"credential"');
    await window.tab('PublishDirect');
    await window.play('PublishDirect');
    await window.shows('"connections": 0');
    await window.tab('Listen');
    await window.play();
    await window.shows('"id": "lobby"');
  });

  test('a subscription that loses its socket goes on after the last cursor', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launch(scope);
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
    await window.tab('Listen');
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

  test('a mutation of the socket goes by the socket', async (scope) => {
    await using signalbox = await startService();
    await using browser = await launch(scope);
    const { createToken } = await signalbox.request(`mutation { createToken { credential } }`);
    const context = await browser.newContext();
    const window = await Window.open(context, signalbox.url);
    await window.enter('Headers', 'key_…', createToken.credential);
    await window.write('Show', 'mutation Show { setPresence(state: "here") { state transport } }');
    await window.play();
    await window.shows('"transport": "WEBSOCKET"');
  });
});
