import { setTimeout as wait } from 'node:timers/promises';
import { type Browser, type BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, skipsBrowser } from '../../../test/support/chromium.ts';
import { launchChromiumTabs } from '../../../test/support/chromium-tabs.ts';
import { createFolder } from '../../../test/support/folder.ts';
import { findFreePort } from '../../../test/support/free-port.ts';
import { startProcess } from '../../../test/support/process.ts';
import { startService, type ServiceClient, type TestService } from '../../../test/support/service.ts';
import { createMember } from './support/client.ts';
import { expectExactly, LONG, openPlace, publishAsBackend, WAIT_MS } from './support/place.ts';
import { serveSite, type Site } from './support/site.ts';
import { createUser } from './support/user.ts';

const PING_INTERVAL_MS = LONG ? 15_000 : 1_000;
const BLACK_HOLE_MS = LONG ? 60_000 : 14_000;
const OFFLINE_MS = LONG ? 60_000 : 3_000;
const ASLEEP_MS = LONG ? 60_000 : 8_000;
const TOKEN_SECONDS = LONG ? 30 : 4;
const RENEWED_FOR_MS = LONG ? 300_000 : 16_000;
vi.setConfig({ testTimeout: RENEWED_FOR_MS + 2 * WAIT_MS, maxConcurrency: 12 });

let site: Site;
let service: TestService;
let browser: Browser;
/** The pages share one process, which saves most of the time. */
let context: BrowserContext;

const setUp = (channel: string, of: ServiceClient = service, port = Number(new URL(of.url).port)) =>
  openPlace({ site, context, channel, of, port });

async function renew(token: string, expiresIn: number): Promise<string> {
  const data = await service.request(
    'mutation ($token: ID!, $expiresIn: Int!) { createCredential(token: $token, expiresIn: $expiresIn) { credential } }',
    { token, expiresIn },
  );
  return data.createCredential.credential;
}

describe.skipIf(skipsBrowser).concurrent('two pages in Chromium', () => {
  beforeAll(async () => {
    site = await serveSite();
    service = await startService({ origins: [site.origin], pingIntervalMs: PING_INTERVAL_MS });
    browser = await launchChromium(undefined, ['--process-per-site']);
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser.close();
    await service[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
    expect(site.mostAtOnce, 'calls of one credential function at once').toBe(1);
  });

  test('see presence, messages and typing of each other', async () => {
    await using place = await setUp('together');
    const [ada, bob] = [await place.enter('ada'), await place.enter('bob')];
    await ada.until(({ members }) => members.join() === 'together-ada,together-bob');
    await bob.tab.run('app.type()');
    await ada.until(({ typing }) => typing.join() === 'together-bob');
    await bob.say('hello');
    const { typing } = await ada.until(({ received }) => received.length === 1);
    expect(typing).toEqual([]);
    await ada.say('welcome');
    await expectExactly(place, [ada, bob], ['hello', 'welcome']);
    await bob.tab.run('app.close()');
    await ada.until(({ members }) => members.join() === 'together-ada');
  });

  test('lose, double and reorder nothing across 25 cuts', async () => {
    await using place = await setUp('cuts');
    const users = [await place.enter('ada'), await place.enter('bob')];
    const texts: string[] = [];
    for (let round = 0; round < 25; round++) {
      for (const user of users) {
        await user.until(({ state }) => state === 'connected');
        const both = [`${user.identity} ${round}a`, `${user.identity} ${round}b`];
        texts.push(...both);
        await user.say(...both);
      }
      for (const user of users) await user.until(({ state }) => state === 'connected');
      place.proxy.cut();
    }
    expect(place.proxy.cuts).toBeGreaterThanOrEqual(50);
    await expectExactly(place, users, texts);
  });

  test('notice a black hole within the ping interval + 5 s and lose nothing', async () => {
    await using place = await setUp('hole');
    const users = [await place.enter('ada'), await place.enter('bob')];
    const texts = ['before', 'from elsewhere', 'ada in the hole', 'bob in the hole', 'after'];
    await users[0]!.say('before');
    for (const user of users) await user.until(({ received }) => received.length === 1);
    const began = Date.now();
    place.proxy.setBlackHole(true);
    await users[0]!.say('ada in the hole');
    await users[1]!.say('bob in the hole');
    await publishAsBackend(place, 'from elsewhere');
    await wait(BLACK_HOLE_MS);
    place.proxy.setBlackHole(false);
    await users[0]!.say('after');
    await expectExactly(place, users, texts);
    for (const user of users) {
      const { statuses } = await user.report();
      const noticed = statuses.find(({ state, at }) => state === 'waiting' && at >= began)!;
      // Twelve pages share the machine: some seconds more than promised are its own.
      expect(noticed.at - began).toBeLessThan(PING_INTERVAL_MS + 5_000 + 5_000);
    }
  });

  test('resume when a page wakes up from sleep without its connection', async (scope) => {
    await using place = await setUp('asleep');
    await using tabs = await launchChromiumTabs(scope);
    const bob = await place.enter('bob');
    const tab = await tabs.open(place.address(await place.login('ada')));
    const ada = createUser('asleep-ada', tab);
    await ada.until(({ connection }) => connection);
    await ada.say('before');
    await bob.until(({ received }) => received.length === 1);
    await ada.say('written on the way to sleep');
    await tab.send('Page.setWebLifecycleState', { state: 'frozen' });
    place.proxy.setBlackHole(true);
    place.proxy.setBlackHole(false);
    await publishAsBackend(place, 'during the sleep');
    await wait(ASLEEP_MS);
    await tab.send('Page.setWebLifecycleState', { state: 'active' });
    await ada.say('awake');
    await bob.say('good morning');
    await expectExactly(
      place,
      [ada, bob],
      ['before', 'written on the way to sleep', 'during the sleep', 'awake', 'good morning'],
    );
  });

  test('resume in a page that the back button restores, which had no connection meanwhile', async (scope) => {
    await using place = await setUp('restored');
    await using tabs = await launchChromiumTabs(scope);
    const bob = await place.enter('bob');
    const tab = await tabs.open(place.address(await place.login('ada')));
    const ada = createUser('restored-ada', tab);
    await ada.until(({ connection }) => connection);
    await bob.say('before');
    await ada.until(({ received }) => received.length === 1);
    await tab.run(`void (location.href = '${site.origin}/elsewhere')`);
    await bob.until(({ members }) => members.join() === 'restored-bob');
    await bob.say('while away');
    await tab.run('history.back()').catch(() => undefined);
    await ada.until(({ isRestored }) => isRestored);
    await ada.say('back');
    await expectExactly(place, [ada, bob], ['before', 'while away', 'back']);
    expect(await ada.report()).toMatchObject({ sockets: 2 });
  });

  test('deliver to a tab in the background, across a cut, and to the tab that comes back', async (scope) => {
    await using place = await setUp('hidden');
    await using tabs = await launchChromiumTabs(scope);
    const bob = await place.enter('bob');
    const tab = await tabs.open(place.address(await place.login('ada')));
    const ada = createUser('hidden-ada', tab);
    await ada.until(({ connection }) => connection);
    await tabs.open('about:blank');
    expect(await tab.run('document.visibilityState')).toBe('hidden');
    await bob.say('to the background');
    await ada.until(({ received }) => received.length === 1);
    place.proxy.cut();
    await bob.say('after the cut');
    await ada.say('from the background');
    await wait(PING_INTERVAL_MS);
    place.proxy.setBlackHole(true);
    place.proxy.setBlackHole(false);
    await tab.activate();
    await ada.until(() => true);
    expect(await tab.run('document.visibilityState')).toBe('visible');
    await bob.say('to the foreground');
    await expectExactly(
      place,
      [ada, bob],
      ['to the background', 'after the cut', 'from the background', 'to the foreground'],
    );
  });

  test('publish ten messages that were queued offline, once and in their order', async () => {
    await using place = await setUp('offline');
    await using device = await browser.newContext();
    const [ada, bob] = [await place.enter('ada', {}, device), await place.enter('bob')];
    await device.setOffline(true);
    place.proxy.setBlackHole(true);
    const queued = Array.from({ length: 10 }, (_, i) => `queued ${i}`);
    await ada.say(...queued);
    await wait(OFFLINE_MS);
    place.proxy.setBlackHole(false);
    await publishAsBackend(place, 'meanwhile');
    await device.setOffline(false);
    const kept = await expectExactly(place, [ada, bob], ['meanwhile', ...queued]);
    expect(kept.filter((text) => text !== 'meanwhile')).toEqual(queued);
  });

  test(`renew a token of ${TOKEN_SECONDS} s for ${RENEWED_FOR_MS / 1000} s without a reconnect`, async () => {
    await using place = await setUp('renewed');
    const identity = 'renewed-ada';
    let token: string | undefined;
    site.logins.set(identity, async () => {
      if (token !== undefined) return renew(token, TOKEN_SECONDS);
      const member = await createMember(service, identity, ['renewed'], { expiresIn: TOKEN_SECONDS });
      token = member.token;
      return member.credential;
    });
    const [ada, bob] = [await place.open(identity), await place.enter('bob')];
    const { connection } = await ada.until((report) => report.connection);
    const texts: string[] = [];
    for (const end = Date.now() + RENEWED_FOR_MS; Date.now() < end; await wait(RENEWED_FOR_MS / 20)) {
      texts.push(`ada ${texts.length}`, `bob ${texts.length}`);
      await ada.say(texts.at(-2)!);
      await bob.say(texts.at(-1)!);
    }
    await expectExactly(place, [ada, bob], texts);
    const report = await ada.report();
    expect(report.connection).toBe(connection);
    expect(new Set(report.statuses.map(({ state }) => state))).toEqual(
      new Set(['connecting', 'connected', 'renewing']),
    );
    const reasons = site.calls.filter((call) => call.identity === identity).map(({ reason }) => reason);
    expect(reasons.length).toBeGreaterThan(RENEWED_FOR_MS / 1000 / TOKEN_SECONDS);
    expect(new Set(reasons.slice(1))).toEqual(new Set(['expiring']));
  });

  test('go on after a credential function that failed three times, at the start and at a renewal', async () => {
    await using place = await setUp('failing');
    const identity = 'failing-ada';
    const failures = { start: 3, expiring: 3 };
    let token = '';
    site.logins.set(identity, async ({ reason }) => {
      const kind = reason === 'start' ? 'start' : 'expiring';
      if (failures[kind]-- > 0) return 503;
      if (kind === 'expiring') return renew(token, 3_600);
      const member = await createMember(service, identity, ['failing'], { expiresIn: 14 });
      token = member.token;
      return member.credential;
    });
    const bob = await place.enter('bob');
    const ada = await place.open(identity);
    await ada.until((report) => report.statuses.length > 0);
    await ada.say('written before the login');
    await ada.until(({ connection }) => connection);
    await ada.until(() => failures.expiring < 0, WAIT_MS);
    await bob.say('still here?');
    await ada.say('still here');
    await expectExactly(place, [ada, bob], ['written before the login', 'still here?', 'still here']);
    const { statuses } = await ada.report();
    expect(statuses.filter(({ state }) => state === 'waiting')).toHaveLength(3);
  });

  test('go on with another token after a revocation, and end when there is none', async () => {
    await using place = await setUp('revoked');
    const identity = 'revoked-ada';
    const tokens = [
      await createMember(service, identity, ['revoked']),
      await createMember(service, identity, ['revoked']),
    ];
    let given = 0;
    site.logins.set(identity, () => tokens[given++]?.credential ?? 401);
    const bob = await place.enter('bob');
    const ada = await place.open(identity);
    const { connection } = await ada.until((report) => report.connection);
    await ada.say('one');
    await bob.until(({ received }) => received.length === 1);
    await service.request('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: tokens[0]!.token });
    await bob.say('two');
    await ada.say('three');
    await ada.until((report) => report.connection !== connection);
    await expectExactly(place, [ada, bob], ['one', 'two', 'three']);
    await service.request('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: tokens[1]!.token });
    const { statuses } = await ada.until(({ state }) => state === 'ended');
    expect(statuses.at(-1)).toMatchObject({ reason: 'signedOut', message: 'You are signed out.' });
    const reasons = site.calls.filter((call) => call.identity === identity).map(({ reason }) => reason);
    expect(reasons).toEqual(['start', 'revoked', 'revoked']);
    await ada.say('never');
    await ada.until(({ failed }) => failed.join() === 'never');
  });

  test('lose nothing when the service is killed and started again', async () => {
    using folder = createFolder();
    const port = await findFreePort();
    const env = {
      PORT: String(port),
      SIGNALBOX_ORIGINS: site.origin,
      SIGNALBOX_PING_INTERVAL_MS: String(PING_INTERVAL_MS),
    };
    await using first = await startProcess({ folder: folder.path, env });
    await using place = await setUp('restart', first, port);
    const [ada, bob] = [await place.enter('ada'), await place.enter('bob')];
    await ada.say('before');
    await bob.until(({ received }) => received.length === 1);
    await ada.say('ada at the end');
    first.kill('SIGKILL');
    await first.exited;
    for (const user of [ada, bob])
      await user.until(({ state }) => state === 'waiting' || state === 'connecting');
    await ada.say('ada in between');
    await bob.say('bob in between');
    await using second = await startProcess({ folder: folder.path, env });
    const texts = ['before', 'ada at the end', 'ada in between', 'bob in between'];
    await expectExactly({ ...place, of: second }, [ada, bob], texts);
    second.kill('SIGTERM');
    await bob.say('bob during the second');
    await second.exited;
    await using third = await startProcess({ folder: folder.path, env });
    await expectExactly({ ...place, of: third }, [ada, bob], [...texts, 'bob during the second']);
  });

  test.each(['sessionStorage', 'indexedDB'])(
    'publish what a page queued before its reload, and miss nothing, with %s',
    async (storage) => {
      await using place = await setUp(`reload-${storage}`);
      const [ada, bob] = [await place.enter('ada', { storage }), await place.enter('bob')];
      await bob.say('before');
      const { received: before } = await ada.until(({ received }) => received.length === 1);
      place.proxy.setBlackHole(true);
      const queued = ['queued 0', 'queued 1', 'queued 2'];
      await ada.say(...queued);
      await ada.page.evaluate('app.stored()');
      await ada.page.goto('about:blank');
      place.proxy.setBlackHole(false);
      await publishAsBackend(place, 'while away');
      await ada.page.goto(place.address(ada.identity, { storage }));
      await ada.until((report) => report.connection);
      await bob.say('after');
      const texts = ['before', 'while away', 'after', ...queued];
      await expectExactly(place, [bob], texts);
      const kept = await expectExactly(place, [ada], texts, before);
      expect(kept.filter((text) => text.startsWith('queued'))).toEqual(queued);
    },
  );
});
