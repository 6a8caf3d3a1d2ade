import { type Client } from 'graphql-ws';
import { mint, roundTrip, type MintedToken } from '../support/backend.ts';
import { createRandomSource, type RandomSource } from '../simulation/random-source.ts';
import { type Proxy } from '../support/proxy.ts';
import { type TestService } from '../support/service.ts';
import { countFrom, createTrackedClient, type Subscriber, type TrackedClient } from './subscribers.ts';
import { Publishing, type ChannelName, type Span } from './publishing.ts';

/** Subscribers whose tokens are revoked together. */
export interface RevokedGroup {
  subscribers: Subscriber[];
  revoke: () => Promise<unknown>;
  /** When they were revoked. */
  end: Span | undefined;
}

/** A membership, from its beginning to its end. */
export interface MembershipPeriod {
  began: Span;
  ended: Span | undefined;
}

/** The state of one load test: subscribers of several kinds at one service, and the messages published to them. */
export class LoadRun implements AsyncDisposable {
  readonly signalbox: TestService;
  readonly random: RandomSource;
  readonly publishing = new Publishing();
  /** Number of messages to publish. Concurrent bursts may exceed it by a few. */
  readonly messageCount: number;
  /** Subscribers that must receive everything up to the end. */
  readonly subscribers: Subscriber[] = [];
  readonly revokedGroups: RevokedGroup[] = [];
  /** Subscribers whose token is subscribed to channel `club` and unsubscribed again, repeatedly. */
  readonly changingMembers: Subscriber[] = [];
  /** The memberships of that token in `club`. */
  readonly membershipPeriods: MembershipPeriod[] = [];
  readonly clients: TrackedClient[] = [];
  readonly proxies: Proxy[] = [];
  readonly stallingClients: TrackedClient[] = [];
  readonly reauthenticatingClients: { tracked: TrackedClient; token: MintedToken }[] = [];

  constructor(signalbox: TestService, { seed, messageCount }: { seed: number; messageCount: number }) {
    this.signalbox = signalbox;
    this.random = createRandomSource(seed);
    this.messageCount = messageCount;
  }

  get isDone(): boolean {
    return this.publishing.attempts.length >= this.messageCount;
  }

  /** Resolves when `messageCount` more messages were published, or when the run is done. */
  untilPublished(messageCount: number): Promise<void> {
    const { attempts } = this.publishing;
    const end = attempts.length + messageCount;
    return this.publishing.until(() => this.isDone || attempts.length >= end);
  }

  /** Resolves when `messageCount` more messages were published to the channel, or when the run is done. */
  untilPublishedIn(channel: ChannelName, messageCount: number): Promise<void> {
    const count = this.publishing.counterFromNow(channel);
    return this.publishing.until(() => this.isDone || count() >= messageCount);
  }

  /** Every other client numbers its operations, from different starts; the others use UUIDs. */
  nextIdGenerator(): (() => string) | undefined {
    return this.clients.length % 2 === 0 ? countFrom(this.random.pick([1, 1, 5, 10, 95])) : undefined;
  }

  mint(...channels: ChannelName[]): Promise<MintedToken> {
    return mint(this.signalbox, { channels });
  }

  add(tracked: TrackedClient): TrackedClient {
    this.clients.push(tracked);
    return tracked;
  }

  /** Resolves when all subscriptions are live. */
  async untilLive(): Promise<void> {
    await Promise.all(this.clients.map(({ client }) => roundTrip(client)));
    const subscribers = [
      ...this.subscribers,
      ...this.changingMembers,
      ...this.revokedGroups.flatMap(({ subscribers }) => subscribers),
    ];
    const inboxes = subscribers.filter(({ channels }) => channels.length > 1);
    await Promise.all(
      inboxes.map(({ subscription }) => subscription.until(({ events }) => events.length > 0)),
    );
  }

  client(token: MintedToken): Client {
    return this.add(createTrackedClient(this.signalbox, token, this.nextIdGenerator())).client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.clients) await client.dispose();
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]();
  }
}
