import { type Delivery, type PendingPublish } from './delivery.ts';
import { type Appended } from './log.ts';
import { type Message } from './message.ts';

/** The publishes of one append of this node, each with its outcome. */
export class AppendedPublishes {
  readonly #publishes: readonly PendingPublish[];
  readonly #outcomes: readonly Appended[];

  /** The epoch and the sequences of the first and the last message in the log; undefined when the append added none. */
  readonly range: { readonly epoch: number; readonly first: number; readonly last: number } | undefined;

  constructor(publishes: readonly PendingPublish[], outcomes: readonly Appended[]) {
    this.#publishes = publishes;
    this.#outcomes = outcomes;
    const logged = outcomes.flatMap((outcome) => loggedOf(outcome) ?? []);
    const [first] = logged;
    const last = logged.at(-1);
    this.range = first && last && { epoch: first.epoch, first: first.sequence, last: last.sequence };
  }

  /** Acknowledges messages that are in the log and will be delivered later. */
  acknowledge(): void {
    this.#publishes.forEach((publish, index) => {
      const outcome = this.#outcomes[index];
      if (outcome?.outcome === 'APPENDED')
        publish.resolve({ message: outcome.message, repeated: false, connections: 0 });
    });
  }

  /** Settles the publishes that added nothing to the log; see `Delivery.settle`. */
  settleUnlogged(delivery: Delivery): void {
    void this.#settleIf(delivery, (sequence) => sequence === undefined);
  }

  /**
   * Settles the publishes; see `Delivery.settle`. Messages up to `through` are delivered already: a repair may have read them
   * from the log before the answer to their append arrived.
   * @param connectionsOf the number of connections that such a message was delivered to, by its sequence
   */
  settleAfter(
    through: number,
    delivery: Delivery,
    connectionsOf: (sequence: number) => number,
  ): Promise<void> | undefined {
    if (this.range === undefined || this.range.first > through)
      return delivery.settle(this.#publishes, this.#outcomes);
    this.#publishes.forEach((publish, index) => {
      const outcome = this.#outcomes[index];
      const sequence = sequenceOf(outcome);
      if (sequence === undefined || sequence > through || outcome?.outcome !== 'APPENDED') return;
      publish.resolve({ message: outcome.message, repeated: false, connections: connectionsOf(sequence) });
    });
    return this.#settleIf(delivery, (sequence) => (sequence ?? Infinity) > through);
  }

  #settleIf(
    delivery: Delivery,
    isSelected: (sequence: number | undefined) => boolean,
  ): Promise<void> | undefined {
    const selects = (_: unknown, index: number) => isSelected(sequenceOf(this.#outcomes[index]));
    return delivery.settle(this.#publishes.filter(selects), this.#outcomes.filter(selects));
  }
}

function loggedOf(outcome: Appended | undefined): NonNullable<Message['logged']> | undefined {
  return outcome?.outcome === 'APPENDED' ? (outcome.message.logged ?? undefined) : undefined;
}

const sequenceOf = (outcome: Appended | undefined): number | undefined => loggedOf(outcome)?.sequence;
