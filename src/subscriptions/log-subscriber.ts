import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Broker } from '../broker/broker.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Connection } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { internBatch, type Batch } from '../batch.ts';
import { type Subscriber, type SubscriberIndex } from './subscriber-index.ts';

/** Messages read from the log at once while catching up. */
export const REPLAY_PAGE = 200;
/** Of their data, so that a page is never more than a sink may take at once. */
const REPLAY_PAGE_BYTES = 64 * 1024;
/** Ephemeral messages kept for a subscriber that is still catching up; beyond, the oldest is forgotten. */
const MAX_BACKLOG = 100;

/** What a feed leads into. */
export interface LogSink {
  deliver(run: Batch<Message>): void;
  /** Messages at these addresses are gone before they were read. */
  onLost(addresses: Address[]): void;
  /** Undefined while there is room; otherwise resolves when there is again. */
  room(): Promise<void> | undefined;
  onFailed(error: SignalboxError): void;
  onReplayed(count: number): void;
}

/**
 * The messages of some addresses after a position, in the order of the log, each once, without end.
 *
 * *Waiting* until it is started, it notes how far the log goes. *Catching up*, it reads the log page by page, as fast
 * as its sink has room, and goes on noting. *Cut over* takes no turn: when it has read as far as it has noted, it is
 * *live*, and what the broker hands it goes straight to the sink.
 */
export class LogSubscriber implements Subscriber {
  readonly connection: Connection;
  readonly #broker: Broker;
  readonly #index: SubscriberIndex;
  readonly #addresses = new Map<Address, number>();
  #phase: 'WAITING' | 'CATCHING_UP' | 'LIVE' | 'STOPPED' = 'WAITING';
  #sink: LogSink | undefined;
  /** Everything up to here was taken, or is not for us. */
  #position = 0;
  /** The log is known to go this far. */
  #knownHead = 0;
  #backlog: Message[] = [];

  constructor(parts: { broker: Broker; subscriberIndex: SubscriberIndex }, connection: Connection) {
    this.#broker = parts.broker;
    this.#index = parts.subscriberIndex;
    this.connection = connection;
  }

  /** Where it begins, and how far the log goes: read after it hears its addresses, so that nothing falls between. */
  begin({ after, head }: { after: Position; head: Position }): void {
    this.#position = after.sequence;
    this.#knownHead = Math.max(this.#knownHead, head.sequence);
  }

  get addresses(): ReadonlyMap<Address, number> {
    return this.#addresses;
  }

  /** From now on it hears `address` too, there only what was said after `floor`. */
  subscribe(address: Address, floor: number): void {
    if (!this.#addresses.has(address)) this.#index.add(this.connection.projectId, address, this);
    this.#addresses.set(address, floor);
  }

  /** From now on it does not, not even what is being read at this moment. */
  unsubscribe(address: Address): void {
    if (this.#addresses.delete(address)) this.#index.remove(this.connection.projectId, address, this);
  }

  deliver(run: Batch<Message>): number {
    const known = this.#phase === 'STOPPED' ? run.length : this.#known(run);
    if (known === run.length) return known;
    const last = run.at(-1)?.logged;
    if (this.#phase === 'LIVE') {
      if (last) this.#position = last.sequence;
      this.#sink?.deliver(known === 0 ? run : internBatch(run.slice(known)));
    } else if (last) this.#knownHead = Math.max(this.#knownHead, last.sequence);
    else this.#backlog = [...this.#backlog, ...run].slice(-MAX_BACKLOG);
    return known;
  }

  /** How many of the first ones were taken already, or are not for us. */
  #known(run: Batch<Message>): number {
    let known = 0;
    for (const { logged } of run) {
      if (!logged || logged.sequence > this.#position) break;
      known++;
    }
    return known;
  }

  start(sink: LogSink): void {
    this.#sink = sink;
    this.#phase = 'CATCHING_UP';
    if (this.#isCaughtUp()) this.#cutOver(sink);
    else {
      this.#catchUp(sink).catch((cause: unknown) => {
        const message = 'The log cannot be read now. Resume with the last cursor.';
        sink.onFailed(new SignalboxError('UNAVAILABLE', message, { cause }));
      });
    }
  }

  stop(): void {
    this.#phase = 'STOPPED';
    for (const address of [...this.#addresses.keys()]) this.unsubscribe(address);
    this.#backlog = [];
  }

  async #catchUp(sink: LogSink): Promise<void> {
    while (!this.#isCaughtUp()) {
      const { messages, through, lost } = await this.#broker.read({
        projectId: this.connection.projectId,
        after: this.#position,
        addresses: this.#addresses,
        limit: REPLAY_PAGE,
        maxBytes: REPLAY_PAGE_BYTES,
      });
      if (this.#isStopped()) return;
      if (lost.length > 0) await this.#reportLost(lost, sink);
      if (this.#isStopped()) return;
      const ours = this.#ours(messages);
      if (ours.length > 0) sink.deliver(ours);
      sink.onReplayed(ours.length);
      if (this.#isStopped()) return;
      this.#position = Math.max(this.#position, through);
      // A page a turn: however much one subscriber missed, the others are served in between.
      if (!this.#isCaughtUp()) await (sink.room() ?? nextTurn());
      if (this.#isStopped()) return;
    }
    this.#cutOver(sink);
  }

  /** Once for each loss: what is gone is below the floor from then on. */
  async #reportLost(lost: Address[], sink: LogSink): Promise<void> {
    sink.onLost(lost);
    for (const address of lost) {
      const trimmedThrough = await this.#broker.trimmedThrough(this.connection.projectId, address);
      const floor = this.#addresses.get(address);
      if (floor !== undefined) this.#addresses.set(address, Math.max(floor, trimmedThrough));
    }
  }

  /** Asked once the page is read: an address may be taken from us meanwhile, and be given back with another floor. */
  #ours(page: Batch<Message>): Batch<Message> {
    const isOurs = ({ address, logged }: Message) => {
      const floor = this.#addresses.get(address);
      return floor !== undefined && (logged?.sequence ?? 0) > floor;
    };
    return page.every(isOurs) ? page : internBatch(page.filter(isOurs));
  }

  #isCaughtUp(): boolean {
    return this.#position >= this.#knownHead;
  }

  #isStopped(): boolean {
    return this.#phase === 'STOPPED';
  }

  #cutOver(sink: LogSink): void {
    this.#phase = 'LIVE';
    const held = this.#backlog.filter(({ address }) => this.#addresses.has(address));
    this.#backlog = [];
    if (held.length > 0) sink.deliver(internBatch(held));
  }
}
