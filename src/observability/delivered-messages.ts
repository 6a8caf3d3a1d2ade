import { type Address, type Message } from '../broker/message.ts';
import { type Batch } from '../batch.ts';
import { type DeliveredMessage } from '../connections/reception.ts';

export interface RecordedMessage extends DeliveredMessage {
  projectId: string;
  id: string;
  address: Address;
  /** The token that published it, and its identity; null for an API key. */
  senderToken: string | null;
  senderIdentity: string | null;
  /** Milliseconds since 1970. */
  publishedAt: number;
  /** When this node delivered it, in milliseconds since 1970. */
  deliveredAt: number;
}

type BatchRecord = Pick<RecordedMessage, 'projectId' | 'address' | 'batch' | 'deliveredAt'>;

/**
 * The newest messages that a node delivered, of all projects, without their data. Every delivery adds to it and only
 * operators search in it, so it is a ring of columns: an object per message would outlive the young generation of the
 * heap, which costs as much as the rest of a delivery without subscribers.
 */
export class DeliveredMessages {
  readonly #max: number;
  readonly #ids: string[] = [];
  readonly #events: string[] = [];
  /** Null for ephemeral messages. */
  readonly #sequences: (number | null)[] = [];
  readonly #senderTokens: (string | null)[] = [];
  readonly #senderIdentities: (string | null)[] = [];
  readonly #publishedAt: number[] = [];
  readonly #batches: BatchRecord[] = [];
  /** The index of the oldest message, which is overwritten next. */
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @param number counts the batches of this node */
  add(batch: Batch<Message>, number: number, deliveredAt: number): void {
    const [first] = batch;
    if (!first) return;
    const { projectId, address } = first;
    const record: BatchRecord = { projectId, address, batch: number, deliveredAt };
    for (const { id, event, sender, logged, publishedAt } of batch) {
      this.#ids[this.#next] = id;
      this.#events[this.#next] = event;
      this.#sequences[this.#next] = logged?.sequence ?? null;
      this.#senderTokens[this.#next] = sender.tokenId;
      this.#senderIdentities[this.#next] = sender.identity;
      this.#publishedAt[this.#next] = publishedAt;
      this.#batches[this.#next] = record;
      this.#next = (this.#next + 1) % this.#max;
    }
  }

  /** Undefined if the message was not delivered here or is no longer among the newest. Costs O(max). */
  find(projectId: string, id: string): RecordedMessage | undefined {
    return this.#at(this.#ids.indexOf(id), projectId);
  }

  /** The messages of a project, the newest first. Costs O(max). */
  *newest(projectId: string): Generator<RecordedMessage, void, undefined> {
    const { length } = this.#ids;
    for (let age = 1; age <= length; age++) {
      const message = this.#at((this.#next - age + length) % length, projectId);
      if (message) yield message;
    }
  }

  /** Undefined if the message of this index is of another project, or there is none. */
  #at(index: number, projectId: string): RecordedMessage | undefined {
    const record = this.#batches[index];
    if (record?.projectId !== projectId) return undefined;
    return {
      ...record,
      id: this.#ids[index] ?? '',
      event: this.#events[index] ?? '',
      senderToken: this.#senderTokens[index] ?? null,
      senderIdentity: this.#senderIdentities[index] ?? null,
      sequence: this.#sequences[index] ?? null,
      publishedAt: this.#publishedAt[index] ?? 0,
    };
  }

  /**
   * When the oldest message was delivered, if older ones may have been forgotten; otherwise minus infinity. What was delivered
   * before it may be missing here.
   */
  get forgottenBefore(): number {
    const isFull = this.#ids.length === this.#max;
    return isFull ? (this.#batches[this.#next]?.deliveredAt ?? 0) : Number.NEGATIVE_INFINITY;
  }
}
