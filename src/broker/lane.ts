import { SignalboxError } from '../errors.ts';
import { type AsyncLog, type IsOutcomeUnknown } from './async-log.ts';
import { type ControlLog } from './control-log.ts';
import { channelDeleted, rejectStale, RightsChanged, type PendingPublish } from './delivery.ts';
import { type Followers } from './followers.ts';
import { type Appended } from './log.ts';
import { channelAddress, type Draft, type Message } from './message.ts';
import { withinTime } from './within-time.ts';

/** The largest batch, in messages and in bytes of `data`. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 1024 * 1024;
/** How long an append with an unknown outcome is repeated, and the time between two attempts, in milliseconds. */
const RETRY_FOR_MS = 5000;
const RETRY_INTERVAL_MS = 100;

/** How often a batch is made again, because it had to wait for longer than a change of rights. */
const MAX_REFUSALS = 4;

/** The signals of all nodes, by which publishers are authorized. */
type LaneSignals = Pick<ControlLog, 'through' | 'catchUp' | 'untilLive'>;

/**
 * @param messages the number of messages of the batch, repeats included
 * @param seconds from the first attempt to the answer of the database
 */
export type OnAppended = (messages: number, seconds: number) => void;

/**
 * The publishes of one project. One batch is in flight at a time; what arrives meanwhile is the next one, so batches grow
 * with the load. The follower of the project delivers the messages.
 */
export class Lane {
  readonly #projectId: string;
  readonly #log: AsyncLog;
  readonly #followers: Followers;
  readonly #signals: LaneSignals;
  readonly #isOutcomeUnknown: IsOutcomeUnknown;
  readonly #onAppended: OnAppended;
  #waiting: PendingPublish[] = [];
  #running: Promise<void> | undefined;
  /** The append of the batch in flight. */
  #appending: Promise<unknown> | undefined;
  #batch = 0;
  #answered = 0;

  constructor(
    projectId: string,
    {
      log,
      followers,
      signals,
      isOutcomeUnknown,
      onAppended,
    }: {
      log: AsyncLog;
      followers: Followers;
      signals: LaneSignals;
      isOutcomeUnknown: IsOutcomeUnknown;
      onAppended: OnAppended;
    },
  ) {
    this.#projectId = projectId;
    this.#log = log;
    this.#followers = followers;
    this.#signals = signals;
    this.#isOutcomeUnknown = isOutcomeUnknown;
    this.#onAppended = onAppended;
  }

  add(publish: PendingPublish): void {
    this.#waiting.push(publish);
    this.#start();
  }

  /** Rejects the publishes to a channel that wait: it was deleted. The log compares those only that it appends. */
  rejectChannel(channelId: string): void {
    const address = channelAddress(channelId);
    const isOfChannel = ({ draft }: PendingPublish) => draft.address === address;
    const rejected = this.#waiting.filter(isOfChannel);
    if (rejected.length === 0) return;
    this.#waiting = this.#waiting.filter((publish) => !isOfChannel(publish));
    for (const { draft, reject } of rejected) reject(channelDeleted(draft));
  }

  #start(): void {
    // setImmediate runs after all socket reads of this turn, so publishes from all sockets share one batch.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#drain())
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0) this.#start();
      });
  }

  /**
   * Undefined if no batch is in flight. Otherwise resolves when it is in the log or has failed, and after `ms` milliseconds in
   * any case.
   */
  appended(ms: number): Promise<void> | undefined {
    const appending = this.#appending;
    if (!appending) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      appending.then(end, end);
    });
  }

  /** Resolves when everything that waits has its outcome. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #drain(): Promise<void> {
    let refusals = 0;
    while (this.#waiting.length > 0) {
      try {
        // A node that was paused applies the signals that it missed. Ephemeral messages would reach other nodes without that.
        await this.#signals.untilLive();
      } catch (cause) {
        for (const { reject } of this.#waiting.splice(0)) reject(unavailable(cause, false));
        continue;
      }
      const publishes = rejectStale(this.#takeBatch());
      if (publishes.length === 0) continue;
      try {
        await this.#append(publishes);
        refusals = 0;
      } catch (cause) {
        if (cause instanceof RightsChanged && ++refusals < MAX_REFUSALS) await this.#repeatLater(publishes);
        else for (const { reject } of publishes) reject(unavailable(cause, this.#isOutcomeUnknown(cause)));
      }
    }
  }

  /** Puts publishes back that were refused because of a signal: those whose rights it changes are stale once it is applied. */
  async #repeatLater(publishes: readonly PendingPublish[]): Promise<void> {
    try {
      await this.#signals.catchUp();
      this.#waiting.unshift(...publishes);
    } catch (cause) {
      for (const { reject } of publishes) reject(unavailable(cause, false));
    }
  }

  /** A second use of an idempotency key waits for the next batch, when the outcome of the first use is known. */
  #takeBatch(): PendingPublish[] {
    const keys = new Set<string>();
    let bytes = 0;
    const end = this.#waiting.findIndex(({ draft }, index) => {
      const key = draft.idempotency?.key;
      if (index > 0 && (index === MAX_MESSAGES || bytes + draft.bytes > MAX_BYTES)) return true;
      if (key !== undefined && keys.has(key)) return true;
      if (key !== undefined) keys.add(key);
      bytes += draft.bytes;
      return false;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #append(publishes: readonly PendingPublish[]): Promise<void> {
    const drafts = publishes.map(({ draft }) => draft);
    if (drafts.every((draft) => draft.ephemeral && !draft.idempotency)) {
      const outcomes = drafts.map((draft): Appended => ({ outcome: 'APPENDED', message: ephemeral(draft) }));
      return await this.#settle(publishes, outcomes);
    }
    const appending = this.#appendToLog(drafts, this.#signals.through);
    // Before anything is awaited: the confirmation of a signal waits for every batch that was authorized before it.
    this.#appending = appending;
    const outcomes = await appending.finally(() => (this.#appending = undefined));
    await this.#settle(publishes, outcomes);
  }

  async #appendToLog(drafts: readonly Draft[], signals: number): Promise<Appended[]> {
    await this.#followers.of(this.#projectId).started();
    const batch = ++this.#batch;
    const options = { batch, answered: this.#answered, signals };
    const startedAt = performance.now();
    const outcomes = await this.#repeat(() => this.#log.append(this.#projectId, options, drafts));
    this.#answered = batch;
    this.#onAppended(drafts.length, (performance.now() - startedAt) / 1000);
    return outcomes;
  }

  /** Waits for the delivery, if it takes several turns of the event loop, but neither for other nodes nor for the wire. */
  #settle(publishes: readonly PendingPublish[], outcomes: readonly Appended[]): Promise<void> | undefined {
    const delivering = this.#followers.of(this.#projectId).settle(publishes, outcomes);
    const appended = publishes.flatMap(({ draft: { bytes } }, index) => {
      const outcome = outcomes[index];
      return outcome?.outcome === 'APPENDED' ? [{ message: outcome.message, bytes }] : [];
    });
    this.#followers.send(this.#projectId, appended);
    return delivering;
  }

  /** Repeats an append until its outcome is known. */
  async #repeat<T>(append: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + RETRY_FOR_MS;
    for (;;) {
      try {
        return await withinTime(append());
      } catch (error) {
        if (!this.#isOutcomeUnknown(error) || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS));
      }
    }
  }
}

function unavailable(cause: unknown, mayHaveBeenPublished: boolean): SignalboxError {
  return new SignalboxError(
    'UNAVAILABLE',
    mayHaveBeenPublished
      ? 'The message log did not answer. The message may or may not have been published; try again with the same idempotencyKey.'
      : 'The message log cannot be written. The message was not published; try again.',
    { cause, ...(mayHaveBeenPublished && { outcomeUnknown: true }) },
  );
}

function ephemeral(draft: Draft): Message {
  const { projectId, id, address, event, data, sender, publishedAt, idempotencyKey } = draft;
  return { projectId, id, address, event, data, sender, publishedAt, idempotencyKey, logged: null };
}
