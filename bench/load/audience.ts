import { type Endpoint } from '../contender.ts';
import { type SubscriberSpec } from './dialect.ts';
import { Subscriber, type Tally } from './subscriber.ts';

/** How many sockets are in the middle of joining at once. */
const JOINING_AT_ONCE = 128;
/** Of so many subscribers one has its latencies kept. */
const SAMPLED = 10;
/** Messages that may be on their way at once; a power of two. */
const RING = 1024;
const STUCK_AFTER_MS = 15_000;

/** Everybody who listens to one stream of messages. Counts every delivery, and keeps the latencies of some. */
export class Audience implements Tally, Disposable {
  readonly subscribers: Subscriber[] = [];
  /** Messages to subscribers, since the beginning. */
  deliveries = 0;
  latenciesMs: number[] = [];
  /** Of each subscriber: from beginning to connect to the last thing that the server acknowledges. */
  readonly joinsMs: number[] = [];
  /** Of which deliveries the latency is kept: by default those to one subscriber of ten. */
  isKept: (n: number, index: number) => boolean = (_n, index) => index % SAMPLED === 0;
  /** Called when a message has reached the last of them. */
  reachedAll: (n: number) => void = () => undefined;
  /** Called when a subscriber's socket is closed by the server. By default that is a fault. */
  onLost: (subscriber: Subscriber, code: number) => void = (_subscriber, code) =>
    this.fault(`A subscriber was closed: ${code}`);
  readonly #sentAt = new Float64Array(RING);
  readonly #reached = new Uint32Array(RING);
  #fault: Error | undefined;
  #waiting: { isDone: () => boolean; resolve: () => void; reject: (error: Error) => void } | undefined;

  /** Everybody joins, so many at a time. @param guestOf who the one at an index is. */
  async join(
    endpoint: Endpoint,
    count: number,
    guestOf: (index: number) => SubscriberSpec,
    due = 1,
  ): Promise<void> {
    let next = 0;
    const usher = async () => {
      while (next < count) {
        const index = next++;
        const beganAt = performance.now();
        const subscriber = new Subscriber(endpoint, guestOf(index), { index, due, tally: this });
        this.subscribers.push(subscriber);
        await subscriber.connection.ready;
        this.joinsMs.push(performance.now() - beganAt);
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, JOINING_AT_ONCE) }, usher));
  }

  /** To be called before `n` is published. */
  sent(n: number): void {
    this.#sentAt[n % RING] = performance.now();
    this.#reached[n % RING] = 0;
  }

  count(n: number, { index }: Subscriber): void {
    this.deliveries++;
    if (this.isKept(n, index)) this.latenciesMs.push(performance.now() - this.#sentAt[n % RING]!);
    if (++this.#reached[n % RING]! === this.subscribers.length) this.reachedAll(n);
    if (this.#waiting?.isDone()) this.#waiting.resolve();
  }

  /** The first fault counts: it rejects every promise that is waited for, now and later. */
  fault(what: string): void {
    this.#fault ??= new Error(what);
    this.#waiting?.reject(this.#fault);
  }

  lost(subscriber: Subscriber, code: number): void {
    this.onLost(subscriber, code);
    if (this.#waiting?.isDone()) this.#waiting.resolve();
  }

  /** Resolves when it is so; it is looked at after each delivery. Fails on a fault, and when nothing comes any more. */
  async until(isDone: () => boolean, what: () => string): Promise<void> {
    if (this.#fault) throw this.#fault;
    if (isDone()) return;
    let before = this.deliveries;
    let watch: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { isDone, resolve, reject };
        watch = setInterval(() => {
          if (this.deliveries === before) this.fault(`Nothing comes any more. ${what()}`);
          before = this.deliveries;
        }, STUCK_AFTER_MS);
      });
    } finally {
      clearInterval(watch);
      this.#waiting = undefined;
    }
  }

  /** Resolves when so many deliveries have been made since the beginning. */
  async untilDelivered(deliveries: number): Promise<void> {
    await this.until(
      () => this.deliveries >= deliveries,
      () => `${this.deliveries} of ${deliveries} deliveries were made.`,
    );
    if (this.deliveries > deliveries) throw new Error(`${this.deliveries} deliveries, not ${deliveries}.`);
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.subscribers) connection.socket.leave();
  }
}
