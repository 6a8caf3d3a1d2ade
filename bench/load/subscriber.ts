import { type Endpoint } from '../contender.ts';
import { type SubscriberSpec } from './dialect.ts';
import { DIGITS, NUMBER_MARK, numberAt } from './payload.ts';
import { Connection, type Listener } from './connection.ts';

/** Whatever is shorter is no message of ours: acknowledgements, pings, first events. */
export const SHORTEST_MESSAGE_BYTES = 200;

/** What all subscribers of an audience report to. */
export interface Tally {
  /** A subscriber got message `n`, the one that was due. */
  count(n: number, subscriber: Subscriber): void;
  /** Something came that was not due: lost, twice, out of order, or an error. */
  fault(what: string): void;
  lost(subscriber: Subscriber, code: number, reason: string): void;
}

/** Checks that it gets every message, in order, once: by the number at the end of each frame. */
export class Subscriber implements Listener {
  readonly index: number;
  readonly connection: Connection;
  /** The number of the message that is due. */
  due: number;
  /** Bytes of the last message's frame, without its header. */
  messageBytes = 0;
  readonly #tally: Tally;
  /** From the number to the end of the frame: the same for all messages of a server. 0 until the first one. */
  #tailBytes = 0;

  constructor(
    endpoint: Endpoint,
    spec: SubscriberSpec,
    { index, due, tally }: { index: number; due: number; tally: Tally },
  ) {
    this.index = index;
    this.due = due;
    this.#tally = tally;
    this.connection = new Connection(endpoint, spec, this, index);
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    if (stop - start < SHORTEST_MESSAGE_BYTES) return this.#hearOther(bytes.toString('utf8', start, stop));
    if (this.#tailBytes === 0) this.#measure(bytes, start, stop);
    const n = numberAt(bytes, stop - this.#tailBytes);
    if (n !== this.due) {
      const text = bytes.toString('utf8', start, Math.min(stop, start + 400));
      return this.#tally.fault(`${this.due} was due, and ${n} came: ${text}`);
    }
    this.due++;
    this.messageBytes = stop - start;
    this.#tally.count(n, this);
  }

  onLost(code: number, reason: string): void {
    this.#tally.lost(this, code, reason);
  }

  #measure(bytes: Buffer, start: number, stop: number): void {
    const at = bytes.lastIndexOf(NUMBER_MARK, stop);
    if (at < start) return this.#tally.fault(`no message: ${bytes.toString('utf8', start, stop)}`);
    this.#tailBytes = stop - at - NUMBER_MARK.length;
    if (this.#tailBytes < DIGITS) this.#tally.fault('A message ends too early.');
  }

  #hearOther(text: string): void {
    const { dialect, socket } = this.connection;
    const answer = dialect.keepAlive(text);
    if (answer !== undefined) socket.sendText(answer);
    if (dialect.isRefusal(text)) this.#tally.fault(text);
  }
}
