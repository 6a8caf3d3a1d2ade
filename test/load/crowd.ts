import { type Client } from 'graphql-ws';
import { mint, roundTrip, type MintedToken } from '../support/backend.ts';
import { createRandomSource, type RandomSource } from '../simulation/random-source.ts';
import { type Proxy } from '../support/proxy.ts';
import { type TestService } from '../support/service.ts';
import { counted, watchedClient, type Listener, type Watched } from './listener.ts';
import { Speech, type ChannelName, type Span } from './speech.ts';

/** Tokens that are revoked together, and when. */
export interface Doomed {
  listeners: Listener[];
  revoke: () => Promise<unknown>;
  end: Span | undefined;
}

/** A membership, from its beginning to its end. */
export interface Stay {
  began: Span;
  ended: Span | undefined;
}

/** Subscribers of all sorts at one service, and what becomes of them while much is said. */
export class Crowd implements AsyncDisposable {
  readonly signalbox: TestService;
  readonly chance: RandomSource;
  readonly speech = new Speech();
  /** How much is said; a few of those that speak at once may come on top. */
  readonly words: number;
  /** Whoever hears everything to the end. */
  readonly listeners: Listener[] = [];
  readonly doomed: Doomed[] = [];
  /** In and out of the club, by the stays of their token. */
  readonly flapping: Listener[] = [];
  readonly stays: Stay[] = [];
  readonly clients: Watched[] = [];
  readonly proxies: Proxy[] = [];
  readonly stalling: Watched[] = [];
  readonly renewing: { watched: Watched; token: MintedToken }[] = [];

  constructor(signalbox: TestService, { seed, words }: { seed: number; words: number }) {
    this.signalbox = signalbox;
    this.chance = createRandomSource(seed);
    this.words = words;
  }

  get isOver(): boolean {
    return this.speech.said.length >= this.words;
  }

  /** Resolves when so many more words were said, or all. */
  pass(words: number): Promise<void> {
    const { said } = this.speech;
    const end = said.length + words;
    return this.speech.until(() => this.isOver || said.length >= end);
  }

  /** Resolves when so much was said in the channel from now on, or all is over. */
  passIn(channel: ChannelName, words: number): Promise<void> {
    const count = this.speech.countFromNow(channel);
    return this.speech.until(() => this.isOver || count() >= words);
  }

  /** Every other client counts its operations, from anywhere; the others use UUIDs. */
  nextIds(): (() => string) | undefined {
    return this.clients.length % 2 === 0 ? counted(this.chance.pick([1, 1, 5, 10, 95])) : undefined;
  }

  mint(...channels: ChannelName[]): Promise<MintedToken> {
    return mint(this.signalbox, { channels });
  }

  add(watched: Watched): Watched {
    this.clients.push(watched);
    return watched;
  }

  /** Resolves once everything that they asked for is live. */
  async areLive(): Promise<void> {
    await Promise.all(this.clients.map(({ client }) => roundTrip(client)));
    const all = [...this.listeners, ...this.flapping, ...this.doomed.flatMap(({ listeners }) => listeners)];
    const inboxes = all.filter(({ channels }) => channels.length > 1);
    await Promise.all(inboxes.map(({ followed }) => followed.until(({ events }) => events.length > 0)));
  }

  client(token: MintedToken): Client {
    return this.add(watchedClient(this.signalbox, token, this.nextIds())).client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.clients) await client.dispose();
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]();
  }
}
