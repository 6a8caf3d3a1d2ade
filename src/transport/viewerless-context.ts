import { type Sender } from '../broker/message.ts';
import { type Connection } from '../connections/connection.ts';
import { senderKey } from '../messages/sender.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';

/** Thrown in a shared execution when a resolver accesses the viewer. */
class ViewerAccessed extends Error {}

/**
 * The context of one execution whose results many subscribers share. It has no viewer: `onViewer` is called when a resolver
 * accesses one, and the results must be discarded.
 */
export class ViewerlessContext implements Context {
  readonly domain: Domain;
  readonly #sender: string | undefined;
  readonly #onViewer: () => void;
  #senders: Set<string> | undefined;

  /** @param sender the sender that the results are for; undefined: for everyone but the senders of `senders` */
  constructor(domain: Domain, sender: string | undefined, onViewer: () => void) {
    this.domain = domain;
    this.#sender = sender;
    this.#onViewer = onViewer;
  }

  /** The senders that must not receive the results, because a field differs for them. */
  get senders(): ReadonlySet<string> | undefined {
    return this.#senders;
  }

  isSender(sender: Sender): boolean {
    const key = senderKey(sender);
    if (this.#sender === undefined) (this.#senders ??= new Set()).add(key);
    return key === this.#sender;
  }

  get caller(): Caller {
    return this.#rejectViewer();
  }

  get rightsAsOf(): undefined {
    return this.#rejectViewer();
  }

  get connection(): Connection {
    return this.#rejectViewer();
  }

  get address(): string {
    return this.#rejectViewer();
  }

  connect(): Promise<Connection> {
    return this.#rejectViewer();
  }

  #rejectViewer(): never {
    this.#onViewer();
    throw new ViewerAccessed();
  }
}
