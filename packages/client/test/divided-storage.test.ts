import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, skipsBrowser } from '../../../test/support/chromium.ts';
import { launchChromiumTabs } from '../../../test/support/chromium-tabs.ts';
import { startService, type TestService } from '../../../test/support/service.ts';
import { expectExactly, openPlace, WAIT_MS } from './support/place.ts';
import { serveSite, type Site } from './support/site.ts';
import { createUser } from './support/user.ts';

vi.setConfig({ testTimeout: 3 * WAIT_MS });

const DIVIDED = { storage: 'divided' };

let site: Site;
let service: TestService;
let browser: Browser;
let context: BrowserContext;

const setUp = (channel: string, within = context) =>
  openPlace({ site, context: within, channel, of: service, port: Number(new URL(service.url).port) });

/** Of a page that the proxy does not cut off. */
const direct = () => ({ url: service.url });

/** The keys of the outboxes in the storage that all tabs share. */
const outboxKeys = (page: Page, identity: string) =>
  page.evaluate<string[]>(
    `Object.keys(localStorage).filter((key) => key.startsWith(${JSON.stringify(`${identity}:outbox`)})).sort()`,
  );

describe.skipIf(skipsBrowser).concurrent('tabs that divide a storage', () => {
  beforeAll(async () => {
    site = await serveSite();
    service = await startService({ origins: [site.origin], pingIntervalMs: 1_000 });
    browser = await launchChromium();
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser.close();
    await service[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });

  test('keep what each of them has queued, and the next tabs publish all of it', async () => {
    await using place = await setUp('divided');
    const bob = await place.enter('bob', direct());
    const first = await place.enter('ada', DIVIDED);
    const { identity } = first;
    const second = await place.open(identity, DIVIDED);
    await second.until(({ connection }) => connection);
    place.proxy.setBlackHole(true);
    await first.say('first 0', 'first 1');
    await second.say('second 0');
    await first.say('first 2');
    await second.say('second 1', 'second 2');
    expect(await outboxKeys(bob.page, identity)).toHaveLength(8);
    await Promise.all([first.page.close(), second.page.close()]);
    place.proxy.setBlackHole(false);
    const next = await place.open(identity, DIVIDED);
    await bob.until(({ received }) => received.length === 3);
    const last = await place.open(identity, DIVIDED);
    const texts = ['first 0', 'first 1', 'first 2', 'second 0', 'second 1', 'second 2'];
    await expectExactly(place, [bob], texts);
    for (const tab of [next, last])
      await tab.until(({ shown, states }) => shown.length === texts.length && states.join() === 'published');
    expect(await outboxKeys(bob.page, identity)).toEqual([]);
  });

  test('are restored by the back button, and publish nothing twice that another tab took over', async (scope) => {
    await using place = await setUp('taken-over');
    await using tabs = await launchChromiumTabs(scope);
    const bob = await place.enter('bob', direct());
    const identity = await place.login('ada');
    const tab = await tabs.open(place.address(identity, DIVIDED));
    const ada = createUser(identity, tab);
    await ada.until(({ connection }) => connection);
    place.proxy.setBlackHole(true);
    await ada.say('queued');
    await tab.run(`void (location.href = '${site.origin}/elsewhere')`);
    const other = createUser(identity, await tabs.open(place.address(identity, DIVIDED)));
    place.proxy.setBlackHole(false);
    await other.until(({ connection }) => connection);
    await bob.until(({ received }) => received.length === 1);
    await tab.run('history.back()').catch(() => undefined);
    await ada.until(({ isRestored }) => isRestored);
    await ada.say('back');
    await other.say('beside');
    await expectExactly(place, [bob], ['queued', 'back', 'beside']);
    const { failed } = await ada.until(
      ({ shown, states }) => shown.length === 3 && states.join() === 'published',
    );
    expect(failed).toEqual([]);
  });

  test('have one storage where the browser has no locks', async () => {
    await using own = await browser.newContext();
    await own.addInitScript(`Object.defineProperty(navigator, 'locks', { value: undefined })`);
    await using place = await setUp('no-locks', own);
    const bob = await place.enter('bob', direct());
    const ada = await place.enter('ada', DIVIDED);
    place.proxy.setBlackHole(true);
    await ada.say('queued');
    await ada.page.goto('about:blank');
    place.proxy.setBlackHole(false);
    await ada.page.goto(place.address(ada.identity, DIVIDED));
    await expectExactly(place, [bob], ['queued']);
  });

  test.each([
    ['every part is taken', (name: string) => Array.from({ length: 16 }, (_, part) => `${name}#${part}`)],
    ['another tab does not end its choice', (name: string) => [name]],
  ])('connect and keep nothing when %s', async (_, locksOf) => {
    const channel = `kept-${locksOf('').length}`;
    await using place = await setUp(channel);
    const identity = await place.login('ada');
    const bob = await place.enter('bob', direct());
    const names = locksOf(`signalbox:${identity}`);
    await bob.page.evaluate(
      `Promise.all(${JSON.stringify(names)}.map((name) => new Promise((held) => {
        void navigator.locks.request(name, () => new Promise(held));
      })))`,
    );
    const ada = await place.open(identity, DIVIDED);
    await ada.until(({ connection }) => connection);
    await ada.say('published');
    await expectExactly(place, [bob], ['published']);
    place.proxy.setBlackHole(true);
    await ada.say('not kept');
    expect(await outboxKeys(ada.page, identity)).toEqual([]);
  });
});
