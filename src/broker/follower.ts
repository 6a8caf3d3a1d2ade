import { AppendedPublishes } from './appended-publishes.ts';
import { type AsyncLog } from './async-log.ts';
import { type Delivery, type PendingPublish } from './delivery.ts';
import { type Appended } from './log.ts';
import { type Message } from './message.ts';
import { withinTime } from './within-time.ts';

/** The messages that one read of a repair loads, and the bytes of their data. */
const REPAIR_PAGE = { limit: 500, maxBytes: 1024 * 1024 };
/** How long a repair waits for hints that are on their way, and after a failed read, in milliseconds. */
const GRACE_MS = 5;
const RETRY_MS = 100;
/** After this time, a publish is acknowledged although earlier messages of other nodes are still missing here, in milliseconds. */
const ACKNOWLEDGE_AFTER_MS = 1000;
/** Batches that wait for earlier messages or deliveries. Those of other nodes beyond are read from the log instead. */
const MAX_WAITING_BATCHES = 200;
/** While more batches of this node wait, it appends nothing. */
const MAX_OWN_WAITING_BATCHES = 16;
/** Delivery counts of repaired messages, for publishes of this node whose answer comes after the repair. */
const MAX_COUNTS = 2000;

/** Consecutive messages of the log, from `first` to `last`, that wait to be delivered. */
interface WaitingBatch {
  readonly first: number;
  readonly last: number;
  /** Delivers the messages after `through`. */
  deliver(through: number): Promise<void> | undefined;
  /** Acknowledges the publishes of this node in the batch. Undefined for a batch of another node. */
  acknowledge?(): void;
}

/** Counts of all followers since the start of the process. */
export interface FollowerCounts {
  /** Batches of messages of other nodes that arrived over the wire with their messages. */
  batches: number;
  batchMessages: number;
  /** Reads of the log for messages that did not arrive, and the messages that they found. */
  repairs: number;
  repairedMessages: number;
}

/**
 * Delivers the messages of one project on this node in the order of the log, whichever node published them. Numbers of the
 * log have no holes, so a missing message is noticed, and is read from the log.
 */
export class Follower {
  readonly #projectId: string;
  readonly #log: Pick<AsyncLog, 'head' | 'readRange'>;
  readonly #delivery: Delivery;
  readonly #counts: FollowerCounts;
  readonly #onSetBack: () => void;
  /** Everything up to this sequence has been delivered; undefined until the head of the log was read. */
  #deliveredThrough: number | undefined;
  /** The newest sequence that a hint or a read of the head has named. */
  #target = 0;
  /** Batches that wait for earlier messages, sorted by `first`. */
  #waiting: WaitingBatch[] = [];
  #starting: Promise<void> | undefined;
  /** A delivery of several turns. What follows waits for it, so undelivered messages never pile up. */
  #delivering: Promise<void> | undefined;
  #isRepairing = false;
  #isStopped = false;
  /** Answers that were asked for before a restart are out of date. */
  #restarts = 0;
  /** For repaired messages, by sequence: the number of connections that each was delivered to. */
  readonly #deliveryCounts = new Map<number, number>();

  constructor(
    projectId: string,
    {
      log,
      delivery,
      counts,
      onSetBack,
    }: {
      log: Pick<AsyncLog, 'head' | 'readRange'>;
      delivery: Delivery;
      counts: FollowerCounts;
      /** Called when the log lacks messages that were delivered. */
      onSetBack: () => void;
    },
  ) {
    this.#projectId = projectId;
    this.#log = log;
    this.#delivery = delivery;
    this.#counts = counts;
    this.#onSetBack = onSetBack;
  }

  /** The number of messages that are in the log and not delivered yet, as far as this node knows. */
  get lag(): number {
    const newest = Math.max(this.#target, this.#waiting.at(-1)?.last ?? 0);
    return this.#deliveredThrough === undefined ? 0 : Math.max(0, newest - this.#deliveredThrough);
  }

  get through(): number | undefined {
    return this.#deliveredThrough;
  }

  /** Resolves when every later message is delivered. @throws UNAVAILABLE when the log cannot be read */
  async started(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    await this.#starting;
  }

  async #start(): Promise<void> {
    const restarts = this.#restarts;
    const { sequence } = await withinTime(this.#log.head(this.#projectId));
    if (restarts !== this.#restarts) return this.started();
    this.#deliveredThrough = sequence;
    this.#advance();
  }

  /**
   * Delivers and acknowledges publishes of this node, in their place in the log; see `Delivery.settle`. Undefined also when
   * messages of other nodes that come first are still missing. Otherwise resolves when the node may append more.
   */
  settle(publishes: readonly PendingPublish[], outcomes: readonly Appended[]): Promise<void> | undefined {
    const appended = new AppendedPublishes(publishes, outcomes);
    if (appended.range === undefined) return this.#delivery.settle(publishes, outcomes);
    const batch: WaitingBatch = {
      ...appended.range,
      deliver: (through) =>
        appended.settleAfter(through, this.#delivery, (sequence) => this.#deliveryCounts.get(sequence) ?? 0),
      acknowledge: () => appended.acknowledge(),
    };
    this.#add(batch);
    this.#advance();
    if (this.#waiting.includes(batch))
      setTimeout(() => this.#readLater(batch, appended), ACKNOWLEDGE_AFTER_MS).unref();
    return this.#delivering?.then(() => this.#untilRoom()) ?? this.#untilRoom();
  }

  /** Acknowledges publishes that still wait. Their messages are read from the log in their place, and are not kept until then. */
  #readLater(batch: WaitingBatch, appended: AppendedPublishes): void {
    const index = this.#waiting.indexOf(batch);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    appended.acknowledge();
    appended.settleUnlogged(this.#delivery);
    this.#target = Math.max(this.#target, batch.last);
    this.#advance();
  }

  #untilRoom(): Promise<void> | undefined {
    const hasRoom = () =>
      this.#waiting.length <= MAX_OWN_WAITING_BATCHES ||
      this.#waiting.filter((batch) => batch.acknowledge).length <= MAX_OWN_WAITING_BATCHES;
    if (hasRoom()) return undefined;
    return (async () => {
      while (!hasRoom()) await delay(GRACE_MS);
    })();
  }

  /** Takes a batch of another node, of which only the end is trusted to exist: the log is asked for what is missing. */
  receive(first: number, last: number, messages: readonly Message[] | undefined): void {
    if (messages && this.#waiting.length < MAX_WAITING_BATCHES) {
      this.#counts.batches++;
      this.#counts.batchMessages += messages.length;
      const deliver = (through: number) =>
        this.#delivery.deliver(messages.filter(({ logged }) => (logged?.sequence ?? 0) > through));
      this.#add({ first, last, deliver });
    } else this.#target = Math.max(this.#target, last);
    this.#advance();
  }

  /** @param throughBefore `through` when the head was asked for */
  onHead(head: number, throughBefore: number): void {
    if (this.#deliveredThrough === undefined) return;
    // The database was set back: its next messages have numbers that subscribers have seen.
    if (head < throughBefore) return this.#onSetBack();
    this.#target = Math.max(this.#target, head);
    this.#advance();
  }

  /** Begins anew at the head of the log. Acknowledges the publishes that wait; their connections must be closed. */
  restart(): void {
    this.#restarts++;
    this.#starting = this.#deliveredThrough = undefined;
    this.#target = 0;
    this.#deliveryCounts.clear();
    for (const batch of this.#waiting.splice(0)) batch.acknowledge?.();
    // Where it fails, the next publish or subscription starts it.
    this.started().catch(() => undefined);
  }

  /** Acknowledges the publishes that wait; delivers nothing more. */
  stop(): void {
    this.#isStopped = true;
    for (const batch of this.#waiting.splice(0)) batch.acknowledge?.();
  }

  #add(batch: WaitingBatch): void {
    const index = this.#waiting.findIndex(({ first }) => first > batch.first);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, batch);
  }

  /** Delivers the batches that follow; begins a repair if messages are missing before the next one. */
  #advance(): void {
    if (this.#deliveredThrough === undefined || this.#isStopped || this.#delivering) return;
    // What a suspended node does not deliver, it would have to close its connections for. It goes on at its next look at the head.
    if (!this.#delivery.mayDeliver()) return;
    for (
      let batch = this.#waiting[0];
      batch && batch.first <= this.#deliveredThrough + 1;
      batch = this.#waiting[0]
    ) {
      this.#waiting.shift();
      const through = this.#deliveredThrough;
      this.#deliveredThrough = Math.max(through, batch.last);
      if (!batch.acknowledge && batch.last <= through) continue;
      if (this.#waitFor(batch.deliver(through))) return;
    }
    if (this.#goal() > this.#deliveredThrough && !this.#isRepairing) void this.#deliverMissing();
  }

  /** Lets what follows wait for a delivery, if it takes several turns; resolves when it does not wait any more. */
  #waitFor(delivering: Promise<void> | undefined): Promise<void> | undefined {
    this.#delivering = delivering?.then(() => {
      this.#delivering = undefined;
      this.#advance();
    });
    return this.#delivering;
  }

  /** The end of the first gap. */
  #goal(): number {
    const [next] = this.#waiting;
    return next ? next.first - 1 : this.#target;
  }

  async #deliverMissing(): Promise<void> {
    this.#isRepairing = true;
    await delay(GRACE_MS);
    // After a restart nothing is missing until the head of the log was read again.
    while (
      !this.#isStopped &&
      this.#deliveredThrough !== undefined &&
      this.#goal() > this.#deliveredThrough
    ) {
      try {
        if (this.#delivery.mayDeliver()) await this.#readGap(this.#deliveredThrough);
        else await delay(RETRY_MS);
      } catch {
        // The store reports that the database cannot be reached.
        await delay(RETRY_MS);
      }
    }
    this.#isRepairing = false;
  }

  async #readGap(after: number): Promise<void> {
    const goal = this.#goal();
    const restarts = this.#restarts;
    const isOutdated = () => this.#isStopped || restarts !== this.#restarts;
    const { messages, head, isFull } = await withinTime(
      this.#log.readRange(this.#projectId, { after, through: goal, ...REPAIR_PAGE }),
    );
    if (isOutdated()) return;
    // A hint may name sequences beyond the head, which do not exist.
    this.#target = Math.min(this.#target, head);
    this.#waiting = this.#waiting.filter((batch) => batch.acknowledge ?? batch.last <= head);
    this.#counts.repairs++;
    while (this.#delivering) await this.#delivering;
    if (isOutdated() || !this.#delivery.mayDeliver()) return;
    // Hints that arrived meanwhile may have closed a part of the gap.
    const through = this.#deliveredThrough ?? 0;
    const missing = messages.filter(({ logged }) => (logged?.sequence ?? 0) > through);
    const end = isFull ? (messages.at(-1)?.logged?.sequence ?? through) : Math.min(goal, head);
    this.#deliveredThrough = Math.max(through, end);
    this.#counts.repairedMessages += missing.length;
    const delivering = this.#delivery.deliver(missing, (delivered, connections) =>
      this.#recordCounts(delivered, connections),
    );
    const waiting = this.#waitFor(delivering);
    this.#advance();
    await waiting;
  }

  #recordCounts(messages: readonly Message[], counts: readonly number[]): void {
    if (this.#deliveryCounts.size > MAX_COUNTS) this.#deliveryCounts.clear();
    messages.forEach(({ logged }, index) => {
      if (logged) this.#deliveryCounts.set(logged.sequence, counts[index] ?? 0);
    });
  }
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
