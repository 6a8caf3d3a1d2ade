import { type Browser, type BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, skipsBrowser } from '../../../test/support/chromium.ts';
import { launchChromiumTabs } from '../../../test/support/chromium-tabs.ts';
import { startService, type TestService } from '../../../test/support/service.ts';
import { createMember, eventually } from './support/client.ts';
import { expectExactly, openPlace, publishAsBackend, WAIT_MS, type Place } from './support/place.ts';
import { serveSite, type Site } from './support/site.ts';
import { createUser } from './support/user.ts';

vi.setConfig({ testTimeout: 3 * WAIT_MS });

const IS_GONE = 'The tab that held the connection is gone.';

let site: Site;
let service: TestService;
let browser: Browser;
let context: BrowserContext;

const setUp = (channel: string) =>
  openPlace({ site, context, channel, of: service, port: Number(new URL(service.url).port) });

/** Opens tabs of one user, one after another: the first one leads. */
async function openTabs(place: Place, identity: string, count: number) {
  const tabs = [];
  for (let i = 0; i < count; i++) {
    const tab = await place.open(identity, { tabs: '1' });
    await tab.until(({ connection }) => connection);
    tabs.push(tab);
  }
  return tabs;
}

async function connectionsOf(identity: string): Promise<string[]> {
  const data = await service.request(
    'query ($identity: String) { connections(identity: $identity) { nodes { connection { id } } } }',
    { identity },
  );
  return data.connections.nodes.map(({ connection }: any) => connection.id);
}

/** Waits until the service has so many connections of a user: it may learn late that one is gone. */
async function untilConnections(identity: string, count: number): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (let ids = await connectionsOf(identity); ids.length !== count; ids = await connectionsOf(identity))
    if (performance.now() > deadline)
      throw new Error(`${identity} has ${ids.length} connections, not ${count}.`);
}

describe.skipIf(skipsBrowser).concurrent('tabs that share one connection', () => {
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

  test('lose, double and reorder nothing when the leader is closed amid publishes and a stream', async () => {
    await using place = await setUp('leader');
    const identity = await place.login('ada');
    const [leader, ...others] = await openTabs(place, identity, 3);
    await untilConnections(identity, 1);
    const { connection: before } = await leader!.report();
    for (const tab of others) expect(await tab.report()).toMatchObject({ sockets: 0, connection: before });

    const texts: string[] = [];
    const publish = async (round: number) => {
      for (const [i, tab] of others.entries()) {
        const both = [`tab ${i} ${round}a`, `tab ${i} ${round}b`];
        texts.push(...both);
        await tab.say(...both);
      }
      texts.push(`backend ${round}`);
      await publishAsBackend(place, `backend ${round}`);
    };
    for (let round = 0; round < 10; round++) {
      const published = publish(round);
      if (round === 5) await leader!.page.close();
      await published;
    }
    await expectExactly(place, others, texts);
    await untilConnections(identity, 1);
    for (const tab of others)
      await tab.until(({ connection, state }) => state === 'connected' && connection !== before);
    const reports = await Promise.all(others.map((tab) => tab.report()));
    expect(new Set(reports.map(({ connection }) => connection)).size).toBe(1);
  });

  test('take over from a leader that is frozen, which follows when it wakes up', async (scope) => {
    await using place = await setUp('frozen');
    // Only a tab in the background freezes, and Playwright has none.
    await using window = await launchChromiumTabs(scope);
    const identity = await place.login('ada');
    const address = place.address(identity, { tabs: '1' });
    const hidden = await window.open(address);
    const leader = createUser('the leader', hidden);
    await leader.until(({ connection }) => connection);
    const other = createUser('the follower', await window.open(address));
    await other.until(({ connection }) => connection);
    expect(await hidden.run('document.visibilityState')).toBe('hidden');
    expect(await leader.report()).toMatchObject({ sockets: 1 });
    await hidden.send('Page.setWebLifecycleState', { state: 'frozen' });
    await other.until(({ sockets }) => sockets === 1);
    const { statuses } = await other.report();
    // By the event of the page, not by its silence.
    expect(statuses.map(({ cause }) => cause)).toContain(IS_GONE);
    await other.say('to a frozen tab');
    await expectExactly(place, [other], ['to a frozen tab']);
    await hidden.send('Page.setWebLifecycleState', { state: 'active' });
    await leader.say('awake');
    await expectExactly(place, [leader, other], ['to a frozen tab', 'awake']);
    await untilConnections(identity, 1);
  });

  test('take over from a leader that hangs, which follows when it goes on', async () => {
    await using place = await setUp('hung');
    const identity = await place.login('ada');
    const [leader, other] = await openTabs(place, identity, 2);
    const devTools = await context.newCDPSession(leader!.page);
    await devTools.send('Debugger.enable');
    const hanging = leader!.tab.run('(() => { debugger; })()');
    await other!.say('to a tab that hangs');
    await publishAsBackend(place, 'from elsewhere');
    const texts = ['to a tab that hangs', 'from elsewhere'];
    await expectExactly(place, [other!], texts);
    expect(await other!.report()).toMatchObject({ sockets: 1 });
    await devTools.send('Debugger.resume');
    await hanging;
    await leader!.say('awake');
    await expectExactly(place, [leader!, other!], [...texts, 'awake']);
    await untilConnections(identity, 1);
  });

  test('take over from a leader that crashes, or whose page goes elsewhere and comes back', async () => {
    await using place = await setUp('crash');
    const identity = await place.login('ada');
    const [first, second, third] = await openTabs(place, identity, 3);
    const devTools = await context.newCDPSession(first!.page);
    devTools.send('Page.crash').catch(() => undefined);
    await second!.say('after a crash');
    await expectExactly(place, [second!, third!], ['after a crash']);
    const reports = await Promise.all([second!.report(), third!.report()]);
    // By its lock, not by its silence.
    for (const { statuses } of reports) expect(statuses.map(({ cause }) => cause)).toContain(IS_GONE);
    const [leader, follower] = reports[0].sockets === 1 ? [second!, third!] : [third!, second!];
    await leader.page.goto('about:blank');
    await follower.say('without the others');
    await expectExactly(place, [follower], ['after a crash', 'without the others']);
    await leader.page.goBack();
    await leader.say('back');
    await follower.until(({ received }) => received.length === 3);
    await untilConnections(identity, 1);
  });

  test('lose nothing across cuts of the shared connection', async () => {
    await using place = await setUp('cuts');
    const identity = await place.login('ada');
    const tabs = await openTabs(place, identity, 2);
    const texts: string[] = [];
    for (let round = 0; round < 5; round++) {
      for (const [i, tab] of tabs.entries()) {
        texts.push(`tab ${i} ${round}`);
        await tab.say(texts.at(-1)!);
      }
      place.proxy.cut();
    }
    await expectExactly(place, tabs, texts);
    await untilConnections(identity, 1);
  });

  test('all end when the user is disconnected, and all log in again when the token is revoked', async () => {
    await using place = await setUp('ended');
    const identity = 'ended-ada';
    const first = await createMember(service, identity, ['ended']);
    const second = await createMember(service, identity, ['ended']);
    let isRevoked = false;
    site.logins.set(identity, () => (isRevoked ? second : first).credential);
    const tabs = await openTabs(place, identity, 3);
    isRevoked = true;
    await service.request('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: first.token });
    for (const tab of tabs)
      await tab.until(({ statuses }) => statuses.some(({ reason }) => reason === 'revoked'));
    for (const tab of tabs) await tab.until(({ state }) => state === 'connected');
    await untilConnections(identity, 1);
    await service.request('mutation ($identity: String) { disconnect(identity: $identity) }', { identity });
    for (const tab of tabs) {
      const { statuses } = await tab.until(({ state }) => state === 'ended');
      expect(statuses.at(-1)).toMatchObject({ reason: 'disconnected' });
    }
    await untilConnections(identity, 0);
  });

  test('renew their credentials on the shared connection', async () => {
    await using place = await setUp('renewed');
    const identity = 'renewed-ada';
    const { token } = await createMember(service, identity, ['renewed'], { expiresIn: 2 });
    site.logins.set(identity, async () => {
      const data = await service.request(
        'mutation ($token: ID!) { createCredential(token: $token, expiresIn: 2) { credential } }',
        { token },
      );
      return data.createCredential.credential;
    });
    const tabs = await openTabs(place, identity, 2);
    const renewals = () =>
      site.calls.filter(({ reason, identity: by }) => reason === 'expiring' && by === identity);
    await eventually(() => renewals().length >= 4);
    for (const tab of tabs) {
      const { statuses } = await tab.report();
      expect(statuses.map(({ state }) => state)).not.toContain('waiting');
    }
  });

  test('of two versions have a connection for each version, and lose nothing', async () => {
    await using place = await setUp('versions');
    const identity = await place.login('ada');
    const old = await openTabs(place, identity, 2);
    const others = [];
    for (let i = 0; i < 2; i++) others.push(await place.open(identity, { tabs: '1', other: '1' }));
    for (const tab of others) await tab.until(({ connection }) => connection);
    await untilConnections(identity, 2);
    await old[1]!.say('from the old one');
    await others[1]!.say('from the new one');
    await expectExactly(place, [...old, ...others], ['from the old one', 'from the new one']);
    // The leader of the old version goes, as in a deployment: its follower leads its own kind.
    await old[0]!.page.close();
    await others[0]!.say('after it');
    await expectExactly(place, [old[1]!, ...others], ['from the old one', 'from the new one', 'after it']);
    await untilConnections(identity, 2);
  });

  test('keep connections of their own for two tokens, and where there are no Web Locks', async () => {
    await using place = await setUp('own');
    const ada = await place.enter('ada', { tabs: '1' });
    const bob = await place.enter('bob', { tabs: '1' });
    await using old = await browser.newContext();
    await old.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    const alone = [
      await place.open(ada.identity, { tabs: '1' }, old),
      await place.open(ada.identity, { tabs: '1' }, old),
    ];
    for (const tab of alone) await tab.until(({ connection }) => connection);
    await alone[0]!.say('hello');
    place.proxy.cut();
    await bob.say('welcome');
    await expectExactly(place, [ada, bob, ...alone], ['hello', 'welcome']);
    await untilConnections(ada.identity, 3);
    await untilConnections(bob.identity, 1);
  });
});
