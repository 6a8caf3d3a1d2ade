import { type Endpoint } from '../contender.ts';
import { Connection, type Listener } from './connection.ts';
import { DIGITS, NUMBER_MARK, numberAt } from './payload.ts';
import { type SubscriberSpec } from './protocol.ts';

/** A shorter frame is no published message, but an acknowledgement, a ping or a first event. */
export const SHORTEST_MESSAGE_BYTES = 200;

/** Receives the reports of all subscribers of a group. */
export interface DeliveryListener {
  /** A subscriber received message `n`, as expected. */
  onDelivery(n: number, subscriber: Subscriber): void;
  /** A message was lost, repeated or out of order, or the server sent an error. */
  fail(message: string): void;
  onClose(subscriber: Subscriber, code: number, reason: string): void;
}

/** Checks by the number at the end of each frame that it receives every message once, in order. */
export class Subscriber implements Listener {
  readonly index: number;
  readonly connection: Connection;
  /** The number that the next message must have. */
  expectedNumber: number;
  /** Length of the last message's frame in bytes, without the header. */
  messageBytes = 0;
  readonly #deliveryListener: DeliveryListener;
  /** Bytes from the number to the end of the frame, equal for all messages of a server; 0 before the first message. */
  #tailBytes = 0;

  constructor(
    endpoint: Endpoint,
    spec: SubscriberSpec,
    {
      index,
      expectedNumber,
      deliveryListener,
    }: { index: number; expectedNumber: number; deliveryListener: DeliveryListener },
  ) {
    this.index = index;
    this.expectedNumber = expectedNumber;
    this.#deliveryListener = deliveryListener;
    this.connection = new Connection(endpoint, spec, this, index);
  }

  onMessage(bytes: Buffer, start: number, stop: number): void {
    if (stop - start < SHORTEST_MESSAGE_BYTES)
      return this.#onControlMessage(bytes.toString('utf8', start, stop));
    if (this.#tailBytes === 0) this.#measureTail(bytes, start, stop);
    const n = numberAt(bytes, stop - this.#tailBytes);
    if (n !== this.expectedNumber) {
      const text = bytes.toString('utf8', start, Math.min(stop, start + 400));
      return this.#deliveryListener.fail(`Expected message ${this.expectedNumber}, received ${n}: ${text}`);
    }
    this.expectedNumber++;
    this.messageBytes = stop - start;
    this.#deliveryListener.onDelivery(n, this);
  }

  onClose(code: number, reason: string): void {
    this.#deliveryListener.onClose(this, code, reason);
  }

  #measureTail(bytes: Buffer, start: number, stop: number): void {
    const at = bytes.lastIndexOf(NUMBER_MARK, stop);
    if (at < start)
      return this.#deliveryListener.fail(`A frame has no number: ${bytes.toString('utf8', start, stop)}`);
    this.#tailBytes = stop - at - NUMBER_MARK.length;
    if (this.#tailBytes < DIGITS) this.#deliveryListener.fail('A frame ends within its number.');
  }

  #onControlMessage(text: string): void {
    const { protocol, socket } = this.connection;
    const answer = protocol.keepAlive(text);
    if (answer !== undefined) socket.sendText(answer);
    if (protocol.isRefusal(text)) this.#deliveryListener.fail(text);
  }
}
