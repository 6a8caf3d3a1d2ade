import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Broker } from '../broker/broker.ts';
import { type HistoryBounds } from '../broker/log.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Connection, type StreamProgress } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { internBatch, type Batch } from '../batch.ts';
import { addToBacklog } from './backlog.ts';
import { type Sink } from './event-stream.ts';
import { type DeliveryRecorder, type Span } from '../connections/reception.ts';
import { type Subscriber, type SubscriberIndex } from './subscriber-index.ts';

/** Maximum number of messages per page while catching up. */
const REPLAY_PAGE_MESSAGES = 200;
/** Maximum size of all `data` on a page, in bytes, so that a page never exceeds the capacity of a sink. */
const REPLAY_PAGE_BYTES = 64 * 1024;
/** History policies that are checked per turn of the event loop; a check reads at most as many rows as the policy keeps. */
const EXPIRY_CHECKS_PER_TURN = 50;
const NOTHING_EXPIRED: ReadonlySet<Address> = new Set();

export interface LogSubscriberDeps {
  broker: Broker;
  subscriberIndex: SubscriberIndex;
  /** Called with the project and the number of messages of each replayed page, for metrics. */
  replayed: (projectId: string, count: number) => void;
  recorder: DeliveryRecorder;
}

/** The destination of a log subscriber. `end` is called with an error when the log cannot be read. */
export interface LogSink extends Sink<Message> {
  /** Retention removed messages at these addresses before they were read. */
  onLost(addresses: Address[]): void;
}

/**
 * Delivers all messages at a set of addresses after a position: in log order, each once, without gaps. It passes through
 * these phases:
 *
 * 1. *Waiting* until `start`: it records the head of the log.
 * 2. *Catching up*: it reads the log page by page, as fast as the sink has room, and keeps recording the head.
 * 3. *Cut over*, once it has read up to the recorded head. This step is synchronous, so no message falls in between.
 * 4. *Live*: batches from the broker go straight to the sink.
 * 5. *Stopped*.
 */
export class LogSubscriber implements Subscriber {
  readonly connection: Connection;
  readonly #broker: Broker;
  readonly #index: SubscriberIndex;
  readonly #replayed: LogSubscriberDeps['replayed'];
  readonly #recorder: DeliveryRecorder;
  /** The floor of each address: messages up to and including this sequence number are not delivered. */
  readonly #addresses = new Map<Address, number>();
  /** No floor is higher. It is not lowered when an address is removed. */
  #highestFloor = 0;
  /** The history policies of the addresses that have one. Applied once, when a replay begins. */
  #bounds: Map<Address, HistoryBounds> | undefined;
  #phase: 'WAITING' | 'CATCHING_UP' | 'LIVE' | 'STOPPED' = 'WAITING';
  #sink: LogSink | undefined;
  /** All messages up to this sequence number have been delivered or are not for this subscriber. */
  #position = 0;
  /** The highest sequence number known to be in the log for these addresses. */
  #knownHead = 0;
  /** See `Span`. */
  #startedAfter = 0;
  #liveAfterBatch = Number.POSITIVE_INFINITY;
  #lastBatch = 0;
  /** The addresses that were added after the start. Undefined: none, to save memory. */
  #added: Map<Address, NonNullable<Span['added']>> | undefined;
  /** The event names that the subscription is limited to. Undefined: it receives all. */
  eventNames: ReadonlySet<string> | undefined;
  /** Ephemeral messages that arrived before the cut over. */
  #backlog: Batch<Message> = [];

  constructor({ broker, subscriberIndex, replayed, recorder }: LogSubscriberDeps, connection: Connection) {
    this.#broker = broker;
    this.#index = subscriberIndex;
    this.#replayed = replayed;
    this.#recorder = recorder;
    this.connection = connection;
  }

  /**
   * Sets the position to start after, and the head of the log. To miss nothing, read the head after subscribing to the
   * addresses.
   */
  begin({ after, head }: { after: Position; head: Position }): void {
    this.#position = after.sequence;
    this.#startedAfter = after.sequence;
    this.#knownHead = Math.max(this.#knownHead, head.sequence);
  }

  get addresses(): ReadonlyMap<Address, number> {
    return this.#addresses;
  }

  /**
   * Adds an address. Messages up to and including the sequence number `floor` are not delivered. A replay skips messages
   * outside the bounds and reports them as lost.
   */
  subscribe(address: Address, floor: number, bounds?: HistoryBounds): void {
    if (bounds && this.#phase === 'WAITING') (this.#bounds ??= new Map()).set(address, bounds);
    if (!this.#addresses.has(address)) {
      this.#index.add(this.connection.projectId, address, this);
      if (this.#phase !== 'WAITING')
        (this.#added ??= new Map()).set(address, { position: this.#position, batch: this.#index.lastBatch });
    }
    this.#setFloor(address, floor);
  }

  #setFloor(address: Address, floor: number): void {
    this.#addresses.set(address, floor);
    this.#highestFloor = Math.max(this.#highestFloor, floor);
  }

  /**
   * Raises the floor of an address: messages up to and including the sequence number `floor` are not delivered from now on, for
   * example because the channel became PRIVATE. Does nothing if the subscriber does not have the address.
   */
  hideThrough(address: Address, floor: number): void {
    const known = this.#addresses.get(address);
    if (known !== undefined && floor > known) this.#setFloor(address, floor);
  }

  /** Removes an address. Messages of a page that is being read at this moment are not delivered either. */
  unsubscribe(address: Address): void {
    const span = this.span(address);
    if (!span) return;
    this.#addresses.delete(address);
    this.#added?.delete(address);
    this.#index.remove(this.connection.projectId, address, this);
    if (this.#phase !== 'WAITING')
      this.#recorder.ended(this.connection, address, { ...span, endedInBatch: this.#index.lastBatch });
  }

  /** The reception of the subscription at an address; undefined if it does not have the address. */
  span(address: Address): Span | undefined {
    const floor = this.#addresses.get(address);
    if (floor === undefined) return undefined;
    return {
      floor,
      after: this.#startedAfter,
      position: this.#position,
      lastBatch: this.#lastBatch,
      added: this.#added?.get(address),
      liveAfterBatch: this.#liveAfterBatch,
      endedInBatch: Number.POSITIVE_INFINITY,
      eventNames: this.eventNames,
    };
  }

  /** See `Subscriber.deliver`. */
  deliver(batch: Batch<Message>): number {
    const known = this.#phase === 'STOPPED' ? batch.length : this.#countKnown(batch);
    if (known === batch.length) return known;
    const last = batch.at(-1)?.logged;
    if (this.#phase === 'LIVE') {
      if (last) this.#position = last.sequence;
      this.#lastBatch = this.#index.lastBatch;
      this.#sink?.deliver(known === 0 ? batch : internBatch(batch.slice(known)));
    } else if (last) this.#knownHead = Math.max(this.#knownHead, last.sequence);
    else this.#backlog = addToBacklog(this.#backlog, batch);
    return known;
  }

  /**
   * Counts the messages at the start of the batch that are not after the current position, or not above the floor of their
   * address: a subscription may begin before this node has received the last messages that are not for it.
   */
  #countKnown(batch: Batch<Message>): number {
    const [first] = batch;
    if (!first?.logged) return 0;
    // Most subscriptions are past every floor, so the lookup is rare.
    const floor = this.#position < this.#highestFloor ? (this.#addresses.get(first.address) ?? 0) : 0;
    const position = Math.max(this.#position, floor);
    let known = 0;
    for (const { logged } of batch) {
      if (!logged || logged.sequence > position) break;
      known++;
    }
    return known;
  }

  /** Does nothing after `stop`: the first events of a stream can close its connection. */
  start(sink: LogSink): void {
    if (this.#isStopped()) return;
    this.#sink = sink;
    this.#phase = 'CATCHING_UP';
    if (this.#isCaughtUp()) this.#cutOver(sink);
    else {
      this.#catchUp(sink).catch((cause: unknown) => {
        const message = 'The message log cannot be read. Resume with the last cursor.';
        sink.end(new SignalboxError('UNAVAILABLE', message, { cause }));
      });
    }
  }

  stop(): void {
    for (const address of [...this.#addresses.keys()]) this.unsubscribe(address);
    this.#phase = 'STOPPED';
    this.#backlog = [];
  }

  async #catchUp(sink: LogSink): Promise<void> {
    let expired = await this.#skipExpired();
    if (this.#isStopped()) return;
    while (!this.#isCaughtUp()) {
      const floors = new Map(this.#addresses);
      const { messages, through, lost, damaged } = await this.#broker.read({
        projectId: this.connection.projectId,
        after: this.#position,
        addresses: this.#addresses,
        limit: REPLAY_PAGE_MESSAGES,
        maxBytes: REPLAY_PAGE_BYTES,
      });
      const missing = new Set([...expired, ...lost, ...damaged]);
      const trimmed = await this.#trimmedThrough(missing);
      // After the last read: rights may have ended during each of them.
      this.connection.applyDue();
      if (this.#isStopped()) return;
      if (this.#hasLowerFloor(floors, through)) continue;
      if (missing.size > 0) this.#reportLost(trimmed, sink);
      expired = NOTHING_EXPIRED;
      if (this.#isStopped()) return;
      const subscribed = this.#filterSubscribed(messages);
      if (subscribed.length > 0) sink.deliver(subscribed);
      this.#replayed(this.connection.projectId, subscribed.length);
      if (this.#isStopped()) return;
      this.#position = Math.max(this.#position, through);
      // One page per turn of the event loop, so that a long replay does not delay other subscribers.
      if (!this.#isCaughtUp()) await (sink.whenWritable() ?? nextTurn());
      if (this.#isStopped()) return;
    }
    this.#cutOver(sink);
  }

  /**
   * Whether an address has been added, or its floor lowered, since the floors were copied, so that a page through this sequence number
   * may lack messages of it.
   */
  #hasLowerFloor(before: ReadonlyMap<Address, number>, through: number): boolean {
    for (const [address, floor] of this.#addresses)
      if (floor < Math.min(through, before.get(address) ?? Number.POSITIVE_INFINITY)) return true;
    return false;
  }

  /** Raises the floors of the addresses with a history policy. Resolves to the addresses whose messages it excludes. */
  async #skipExpired(): Promise<ReadonlySet<Address>> {
    const lost = new Set<Address>();
    let checked = 0;
    for (const [address, bounds] of this.#bounds ?? []) {
      const floor = this.#addresses.get(address);
      if (floor === undefined) continue;
      const after = Math.max(this.#position, floor);
      const expired = await this.#broker.expiredThrough(this.connection.projectId, address, bounds, after);
      if (expired > after && this.#addresses.has(address)) {
        lost.add(address);
        this.#setFloor(address, expired);
      }
      if (++checked % EXPIRY_CHECKS_PER_TURN === 0) await nextTurn();
      if (this.#isStopped()) break;
    }
    return lost;
  }

  async #trimmedThrough(addresses: Iterable<Address>): Promise<ReadonlyMap<Address, number>> {
    const found = new Map<Address, number>();
    for (const address of addresses)
      found.set(address, await this.#broker.trimmedThrough(this.connection.projectId, address));
    return found;
  }

  /** Reports each loss once: raising the floor to the trimmed sequence number excludes the loss from later reads. */
  #reportLost(trimmedThrough: ReadonlyMap<Address, number>, sink: LogSink): void {
    sink.onLost([...this.#addresses.keys()].filter((address) => trimmedThrough.has(address)));
    for (const [address, through] of trimmedThrough) this.hideThrough(address, through);
  }

  /** Applied after the page was read, because addresses and floors may change during the read. */
  #filterSubscribed(page: Batch<Message>): Batch<Message> {
    const isSubscribed = ({ address, logged }: Message) => {
      const floor = this.#addresses.get(address);
      return floor !== undefined && (logged?.sequence ?? 0) > floor;
    };
    return page.every(isSubscribed) ? page : internBatch(page.filter(isSubscribed));
  }

  progress(): StreamProgress {
    return { sequence: this.#position, isCaughtUp: this.#phase === 'LIVE' };
  }

  #isCaughtUp(): boolean {
    return this.#position >= this.#knownHead;
  }

  #isStopped(): boolean {
    return this.#phase === 'STOPPED';
  }

  #cutOver(sink: LogSink): void {
    this.#phase = 'LIVE';
    this.#liveAfterBatch = this.#index.lastBatch;
    this.#bounds = undefined;
    const backlog = this.#backlog.filter(({ address }) => this.#addresses.has(address));
    this.#backlog = [];
    if (backlog.length > 0) sink.deliver(internBatch(backlog));
  }
}
