import { type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { createProxy, type Proxy } from '../../../../test/support/proxy.ts';
import { type ServiceClient } from '../../../../test/support/service.ts';
import { createChannel, createMember } from './client.ts';
import { type Site } from './site.ts';
import { createUser, type User } from './user.ts';

/** `LONG=1` runs the cases with the times of production, in about six minutes. */
export const LONG = process.env['LONG'] === '1';
export const WAIT_MS = LONG ? 90_000 : 30_000;

/** A user with a page of its own. */
export interface PageUser extends User {
  readonly page: Page;
}

/** A channel with a proxy in front of the service, and its pages. */
export interface Place extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly channel: string;
  readonly of: ServiceClient;
  /** The address of the page of a user; `more` are parameters of `page.ts`. */
  address(identity: string, more?: object): string;
  /** Creates a token for a user, and returns the identity. */
  login(name: string, input?: object): Promise<string>;
  /** Opens a page of a user who has a login. */
  open(identity: string, more?: object, within?: BrowserContext): Promise<PageUser>;
  /** Creates a token for a user, opens the page, and waits until it is connected. */
  enter(name: string, more?: object, within?: BrowserContext): Promise<PageUser>;
}

export interface PlaceOptions {
  readonly site: Site;
  /** Where pages are opened. */
  readonly context: BrowserContext;
  readonly channel: string;
  readonly of: ServiceClient;
  /** The port of the service. */
  readonly port: number;
}

/** Creates a channel and a proxy. */
export async function openPlace({ site, context, channel, of, port }: PlaceOptions): Promise<Place> {
  await createChannel(of, channel);
  const proxy = await createProxy(port);
  const address = (identity: string, more = {}) =>
    `${site.origin}/?${new URLSearchParams({ url: `http://127.0.0.1:${proxy.port}`, channel, identity, ...more }).toString()}`;

  async function login(name: string, input = {}): Promise<string> {
    const identity = `${channel}-${name}`;
    const { credential } = await createMember(of, identity, [channel], input);
    site.logins.set(identity, () => credential);
    return identity;
  }
  async function open(identity: string, more = {}, within = context): Promise<PageUser> {
    const page = await within.newPage();
    await page.goto(address(identity, more));
    return { page, ...createUser(identity, { run: (expression) => page.evaluate(expression) }) };
  }
  async function enter(name: string, more = {}, within = context): Promise<PageUser> {
    const user = await open(await login(name), more, within);
    await user.until(({ connection }) => connection);
    return user;
  }
  const dispose = () => proxy[Symbol.asyncDispose]();
  return { proxy, channel, of, address, login, open, enter, [Symbol.asyncDispose]: dispose };
}

type ChannelOf = Pick<Place, 'of' | 'channel'>;

/**
 * Waits until every page shows and has delivered all of `texts`, and asserts that the service kept each exactly once and
 * that each page delivered them once and in the order of the service. Returns that order.
 */
export async function expectExactly(
  { of, channel }: ChannelOf,
  users: User[],
  texts: string[],
  before: string[] = [],
): Promise<string[]> {
  for (const user of users)
    await user.until(
      (report) =>
        report.shown.length >= texts.length && report.states.every((state) => state === 'published'),
      WAIT_MS,
    );
  const data = await of.request(
    'query ($id: ID!) { channel(id: $id) { messages(last: 100) { nodes { data } } } }',
    { id: channel },
  );
  const kept: string[] = data.channel.messages.nodes.map((node: any) => node.data.text);
  expect([...kept].sort()).toEqual([...texts].sort());
  for (const user of users) {
    const report = await user.until(
      ({ received }) => received.length + before.length >= kept.length,
      WAIT_MS,
    );
    expect([...before, ...report.received], `delivered to ${user.identity}`).toEqual(kept);
    expect(report.shown, `shown to ${user.identity}`).toEqual(kept);
    expect(report.failed).toEqual([]);
  }
  return kept;
}

/** Publishes to the channel by the API key. */
export const publishAsBackend = ({ of, channel }: ChannelOf, text: string) =>
  of.request(
    'mutation ($id: ID!, $data: JSON) { publishMessage(channel: $id, event: "message", data: $data) { connections } }',
    { id: channel, data: { text } },
  );
