import { AppendedPublishes } from './appended-publishes.ts';
import { type AsyncLog, type LogHead } from './async-log.ts';
import { type Delivery, type PendingPublish } from './delivery.ts';
import { type Appended } from './log.ts';
import { type Message } from './message.ts';
import { type Position } from './position.ts';
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

/** Consecutive messages of the log, from `first` to `last`, that wait to be delivered. All are of one epoch. */
interface WaitingBatch {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  /** Delivers the messages after `through`. */
  deliver(through: number): Promise<void> | undefined;
  /** Acknowledges the publishes of this node in the batch. Undefined for a batch of another node. */
  acknowledge?(): void;
}

/** A look at the head of the log. */
export interface Look {
  /** Everything up to here has been delivered. */
  readonly position: Position;
  /** Takes the answer of the log. */
  onHead(head: LogHead): void;
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
 *
 * The log can be set back: an older copy takes its place, or a standby that lacks messages. Its next messages have sequences that
 * were delivered before, in another epoch. So every read asks whether the log still holds the position of the last delivery, and
 * a batch of another epoch is delivered after such a read only.
 */
export class Follower {
  readonly #projectId: string;
  readonly #log: Pick<AsyncLog, 'head' | 'readRange'>;
  readonly #delivery: Delivery;
  readonly #counts: FollowerCounts;
  readonly #onSetBack: () => void;
  /** Everything up to this position has been delivered; undefined until the head of the log was read. */
  #position: Position | undefined;
  /** The epoch of a batch of which it is known that it follows `#position` in the log. */
  #nextEpoch: number | undefined;
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
    return this.#position === undefined ? 0 : Math.max(0, newest - this.#position.sequence);
  }

  /** Undefined until the head of the log was read. */
  look(): Look | undefined {
    const position = this.#position;
    const restarts = this.#restarts;
    const onHead = (head: LogHead) => {
      if (restarts === this.#restarts) this.#onHead(head);
    };
    return position && { position, onHead };
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
    const position = await withinTime(this.#log.head(this.#projectId));
    if (restarts !== this.#restarts) return this.started();
    this.#position = position;
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
    const epoch = messages?.[0]?.logged?.epoch;
    if (messages && epoch !== undefined && this.#waiting.length < MAX_WAITING_BATCHES) {
      this.#counts.batches++;
      this.#counts.batchMessages += messages.length;
      const deliver = (through: number) =>
        this.#delivery.deliver(messages.filter(({ logged }) => (logged?.sequence ?? 0) > through));
      this.#add({ epoch, first, last, deliver });
    } else this.#target = Math.max(this.#target, last);
    this.#advance();
  }

  #onHead({ head, holds }: LogHead): void {
    if (!holds) return this.#onSetBack();
    this.#target = Math.max(this.#target, head);
    this.#advance();
  }

  /** Begins anew at the head of the log. Acknowledges the publishes that wait; their connections must be closed. */
  restart(): void {
    this.#restarts++;
    this.#starting = this.#position = this.#nextEpoch = undefined;
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

  /** Delivers the batches that follow; begins a repair if the log must be read before the next one. */
  #advance(): void {
    if (this.#position === undefined || this.#isStopped || this.#delivering) return;
    // What a suspended node does not deliver, it would have to close its connections for. It continues at its next look at the head.
    if (!this.#delivery.mayDeliver()) return;
    for (
      let batch = this.#waiting[0];
      batch && batch.first <= this.#position.sequence + 1 && this.#isOfThisLog(batch);
      batch = this.#waiting[0]
    ) {
      this.#waiting.shift();
      const through = this.#position.sequence;
      const isNew = batch.last > through;
      if (isNew) this.#position = { epoch: batch.epoch, sequence: batch.last };
      if (!batch.acknowledge && !isNew) continue;
      if (this.#waitFor(batch.deliver(through))) return;
    }
    if (this.#isBehind() && !this.#isRepairing) void this.#deliverMissing();
  }

  /** False if the log must be asked before the batch is delivered, because the batch may be of another history. */
  #isOfThisLog({ epoch, last }: WaitingBatch): boolean {
    const position = this.#position;
    return (
      position === undefined ||
      last <= position.sequence ||
      epoch === position.epoch ||
      epoch === this.#nextEpoch
    );
  }

  /** Whether the log must be read before anything else is delivered. */
  #isBehind(): boolean {
    const [next] = this.#waiting;
    if (this.#position === undefined) return false;
    return this.#goal() > this.#position.sequence || (next !== undefined && !this.#isOfThisLog(next));
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
    while (!this.#isStopped && this.#position !== undefined && this.#isBehind()) {
      try {
        if (this.#delivery.mayDeliver()) await this.#readGap(this.#position);
        else await delay(RETRY_MS);
      } catch {
        // The store reports that the database cannot be reached.
        await delay(RETRY_MS);
      }
    }
    this.#isRepairing = false;
  }

  async #readGap(after: Position): Promise<void> {
    const goal = Math.max(after.sequence, this.#goal());
    const [next] = this.#waiting;
    const restarts = this.#restarts;
    const isOutdated = () => this.#isStopped || restarts !== this.#restarts;
    const { messages, head, holds, end } = await withinTime(
      this.#log.readRange(this.#projectId, { after, through: goal, ...REPAIR_PAGE }),
    );
    if (isOutdated()) return;
    if (!holds) return this.#onSetBack();
    // A hint may name sequences beyond the head, which do not exist.
    this.#target = Math.min(this.#target, head);
    this.#waiting = this.#waiting.filter((batch) => batch.acknowledge ?? batch.last <= head);
    if (goal > after.sequence) this.#counts.repairs++;
    while (this.#delivering) await this.#delivering;
    if (isOutdated() || !this.#delivery.mayDeliver()) return;
    if (next && end.sequence >= next.first - 1) this.#nextEpoch = next.epoch;
    // Hints that arrived meanwhile may have closed a part of the gap.
    const through = this.#position?.sequence ?? 0;
    const missing = messages.filter(({ logged }) => (logged?.sequence ?? 0) > through);
    if (end.sequence > through) this.#position = end;
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
