import { type Endpoint } from '../contender.ts';
import { type SubscriberSpec } from './protocol.ts';
import { Subscriber, type DeliveryListener } from './subscriber.ts';

/** Number of sockets that connect concurrently. */
const CONNECTING_AT_ONCE = 128;
/** One of so many subscribers has its latencies recorded. */
const SAMPLE_EVERY = 10;
/** Upper bound of the messages in flight; a power of two. */
const RING = 1024;
const STUCK_AFTER_MS = 15_000;

/** All subscribers of one stream of messages. Counts every delivery and records the latencies of a sample. */
export class SubscriberGroup implements DeliveryListener, Disposable {
  readonly subscribers: Subscriber[] = [];
  /** Number of deliveries since the start: one per message and subscriber. */
  deliveries = 0;
  latenciesMs: number[] = [];
  /** For each subscriber: the time from the TCP connect to the last acknowledgement of the server. */
  readonly connectTimesMs: number[] = [];
  /** Selects the deliveries whose latency is recorded. Default: those to one of ten subscribers. */
  recordsLatency: (n: number, index: number) => boolean = (_n, index) => index % SAMPLE_EVERY === 0;
  /** Called when a message has been delivered to all subscribers. */
  onDeliveredToAll: (n: number) => void = () => undefined;
  /** Called when the server closes a subscriber. By default, this is a failure. */
  onSubscriberClosed: (subscriber: Subscriber, code: number) => void = (_subscriber, code) =>
    this.fail(`The server closed a subscriber with ${code}.`);
  readonly #publishedAt = new Float64Array(RING);
  readonly #deliveredTo = new Uint32Array(RING);
  #failure: Error | undefined;
  #waiting: { isDone: () => boolean; resolve: () => void; reject: (error: Error) => void } | undefined;

  /**
   * Connects `count` subscribers, a limited number of them concurrently.
   *
   * @param specOf the spec of the subscriber at an index.
   * @param firstNumber the number of the first message that each subscriber must receive.
   */
  async connect(
    endpoint: Endpoint,
    count: number,
    specOf: (index: number) => SubscriberSpec,
    firstNumber = 1,
  ): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const index = next++;
        const startedAt = performance.now();
        const subscriber = new Subscriber(endpoint, specOf(index), {
          index,
          expectedNumber: firstNumber,
          deliveryListener: this,
        });
        this.subscribers.push(subscriber);
        await subscriber.connection.ready;
        this.connectTimesMs.push(performance.now() - startedAt);
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, CONNECTING_AT_ONCE) }, worker));
  }

  /** Must be called right before message `n` is published: its latencies start here. */
  markPublished(n: number): void {
    this.#publishedAt[n % RING] = performance.now();
    this.#deliveredTo[n % RING] = 0;
  }

  onDelivery(n: number, { index }: Subscriber): void {
    this.deliveries++;
    if (this.recordsLatency(n, index))
      this.latenciesMs.push(performance.now() - this.#publishedAt[n % RING]!);
    if (++this.#deliveredTo[n % RING]! === this.subscribers.length) this.onDeliveredToAll(n);
    if (this.#waiting?.isDone()) this.#waiting.resolve();
  }

  /** Rejects current and later waits with the first failure. */
  fail(message: string): void {
    this.#failure ??= new Error(message);
    this.#waiting?.reject(this.#failure);
  }

  onClose(subscriber: Subscriber, code: number): void {
    this.onSubscriberClosed(subscriber, code);
    if (this.#waiting?.isDone()) this.#waiting.resolve();
  }

  /**
   * Resolves when `isDone` holds; it is evaluated after each delivery and close. Rejects on a failure, and when there is no
   * delivery for 15 s.
   *
   * @param progress describes the progress in the error.
   */
  async until(isDone: () => boolean, progress: () => string): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (isDone()) return;
    let before = this.deliveries;
    let watchdog: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { isDone, resolve, reject };
        watchdog = setInterval(() => {
          if (this.deliveries === before) this.fail(`There are no more deliveries. ${progress()}`);
          before = this.deliveries;
        }, STUCK_AFTER_MS);
      });
    } finally {
      clearInterval(watchdog);
      this.#waiting = undefined;
    }
  }

  /** Resolves when exactly so many deliveries have been made since the start. */
  async untilDelivered(deliveries: number): Promise<void> {
    await this.until(
      () => this.deliveries >= deliveries,
      () => `${this.deliveries} of ${deliveries} deliveries were made.`,
    );
    if (this.deliveries > deliveries)
      throw new Error(`${this.deliveries} deliveries were made, not ${deliveries}.`);
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.subscribers) connection.socket.leave();
  }
}
