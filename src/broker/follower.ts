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
/** Runs that wait for earlier messages or deliveries. Those of other nodes beyond are read from the log instead. */
const MAX_WAITING_RUNS = 200;
/** While more runs of this node wait, it appends nothing. */
const MAX_OWN_WAITING_RUNS = 16;
/** Delivery counts of repaired messages, for publishes of this node whose answer comes after the repair. */
const MAX_COUNTS = 2000;

/** Consecutive messages of the log, from `first` to `last`. */
interface Run {
  readonly first: number;
  readonly last: number;
  /** Delivers the messages after `through`. */
  deliver(through: number): Promise<void> | undefined;
  /** Acknowledges the publishes of this node that wait for the run. Undefined for a run of another node. */
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
  /** Runs that wait for earlier messages, by `first`. */
  #runs: Run[] = [];
  #starting: Promise<void> | undefined;
  /** A delivery of several turns. What follows waits for it, so undelivered messages never pile up. */
  #delivering: Promise<void> | undefined;
  #isRepairing = false;
  #isStopped = false;
  /** Answers that were asked for before a restart are out of date. */
  #restarts = 0;
  readonly #delivered = new Map<number, number>();

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
    const newest = Math.max(this.#target, this.#runs.at(-1)?.last ?? 0);
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
    const sequences = outcomes.flatMap((one) => sequenceOf(one) ?? []);
    const [first] = sequences;
    const last = sequences.at(-1);
    if (first === undefined || last === undefined) return this.#delivery.settle(publishes, outcomes);
    const run: Run = {
      first,
      last,
      deliver: (through) => this.#settleAfter(through, publishes, outcomes),
      acknowledge: () => acknowledge(publishes, outcomes),
    };
    this.#add(run);
    this.#advance();
    if (this.#runs.includes(run))
      setTimeout(() => this.#readLater(run, publishes, outcomes), ACKNOWLEDGE_AFTER_MS).unref();
    return this.#delivering?.then(() => this.#untilRoom()) ?? this.#untilRoom();
  }

  /** Acknowledges publishes that still wait. Their messages are read from the log in their place, and are not kept until then. */
  #readLater(run: Run, publishes: readonly PendingPublish[], outcomes: readonly Appended[]): void {
    const index = this.#runs.indexOf(run);
    if (index === -1) return;
    this.#runs.splice(index, 1);
    run.acknowledge?.();
    const isUnlogged = (_: unknown, at: number) => sequenceOf(outcomes[at]) === undefined;
    void this.#delivery.settle(publishes.filter(isUnlogged), outcomes.filter(isUnlogged));
    this.#target = Math.max(this.#target, run.last);
    this.#advance();
  }

  #untilRoom(): Promise<void> | undefined {
    const hasRoom = () =>
      this.#runs.length <= MAX_OWN_WAITING_RUNS ||
      this.#runs.filter((run) => run.acknowledge).length <= MAX_OWN_WAITING_RUNS;
    if (hasRoom()) return undefined;
    return (async () => {
      while (!hasRoom()) await delay(GRACE_MS);
    })();
  }

  /** Takes a run of another node, of which only the end is trusted to exist: the log is asked for what is missing. */
  receive(first: number, last: number, messages: readonly Message[] | undefined): void {
    if (messages && this.#runs.length < MAX_WAITING_RUNS) {
      this.#counts.batches++;
      this.#counts.batchMessages += messages.length;
      const deliver = (through: number) =>
        this.#delivery.deliver(messages.filter(({ logged }) => (logged?.sequence ?? 0) > through));
      this.#add({ first, last, deliver });
    } else this.#target = Math.max(this.#target, last);
    this.#advance();
  }

  /** @param throughBefore `through` when the head was asked for */
  noteHead(head: number, throughBefore: number): void {
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
    this.#delivered.clear();
    for (const run of this.#runs.splice(0)) run.acknowledge?.();
    // Where it fails, the next publish or subscription starts it.
    this.started().catch(() => undefined);
  }

  /** Acknowledges the publishes that wait; delivers nothing more. */
  stop(): void {
    this.#isStopped = true;
    for (const run of this.#runs.splice(0)) run.acknowledge?.();
  }

  #add(run: Run): void {
    const index = this.#runs.findIndex(({ first }) => first > run.first);
    this.#runs.splice(index === -1 ? this.#runs.length : index, 0, run);
  }

  /** Delivers the runs that follow; begins a repair if messages are missing before the next one. */
  #advance(): void {
    if (this.#deliveredThrough === undefined || this.#isStopped || this.#delivering) return;
    // What a suspended node does not deliver, it would have to close its connections for. It goes on at its next look at the head.
    if (!this.#delivery.mayDeliver()) return;
    for (let run = this.#runs[0]; run && run.first <= this.#deliveredThrough + 1; run = this.#runs[0]) {
      this.#runs.shift();
      const through = this.#deliveredThrough;
      this.#deliveredThrough = Math.max(through, run.last);
      if (!run.acknowledge && run.last <= through) continue;
      if (this.#waitFor(run.deliver(through))) return;
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
    const [next] = this.#runs;
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
    this.#runs = this.#runs.filter((run) => run.acknowledge ?? run.last <= head);
    this.#counts.repairs++;
    while (this.#delivering) await this.#delivering;
    if (isOutdated() || !this.#delivery.mayDeliver()) return;
    // Hints that arrived meanwhile may have closed a part of the gap.
    const through = this.#deliveredThrough ?? 0;
    const missing = messages.filter(({ logged }) => (logged?.sequence ?? 0) > through);
    const end = isFull ? (messages.at(-1)?.logged?.sequence ?? through) : Math.min(goal, head);
    this.#deliveredThrough = Math.max(through, end);
    this.#counts.repairedMessages += missing.length;
    const delivering = this.#delivery.deliver(missing, (batch, connections) =>
      this.#noteCounts(batch, connections),
    );
    const waiting = this.#waitFor(delivering);
    this.#advance();
    await waiting;
  }

  #noteCounts(messages: readonly Message[], counts: readonly number[]): void {
    if (this.#delivered.size > MAX_COUNTS) this.#delivered.clear();
    messages.forEach(({ logged }, index) => {
      if (logged) this.#delivered.set(logged.sequence, counts[index] ?? 0);
    });
  }

  /** A repair may have delivered messages of this node before the answer to their append arrived. */
  #settleAfter(
    through: number,
    publishes: readonly PendingPublish[],
    outcomes: readonly Appended[],
  ): Promise<void> | undefined {
    const isNew = (_: unknown, index: number) => (sequenceOf(outcomes[index]) ?? Infinity) > through;
    if (publishes.every(isNew)) return this.#delivery.settle(publishes, outcomes);
    publishes.forEach((publish, index) => {
      const outcome = outcomes[index];
      const sequence = sequenceOf(outcome);
      if (sequence === undefined || sequence > through || outcome?.outcome !== 'APPENDED') return;
      publish.resolve({
        message: outcome.message,
        repeated: false,
        connections: this.#delivered.get(sequence) ?? 0,
      });
    });
    return this.#delivery.settle(publishes.filter(isNew), outcomes.filter(isNew));
  }
}

function sequenceOf(outcome: Appended | undefined): number | undefined {
  return outcome?.outcome === 'APPENDED' ? outcome.message.logged?.sequence : undefined;
}

/** Acknowledges messages that are in the log and will be delivered later. */
function acknowledge(publishes: readonly PendingPublish[], outcomes: readonly Appended[]): void {
  publishes.forEach((publish, index) => {
    const outcome = outcomes[index];
    if (outcome?.outcome === 'APPENDED')
      publish.resolve({ message: outcome.message, repeated: false, connections: 0 });
  });
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
