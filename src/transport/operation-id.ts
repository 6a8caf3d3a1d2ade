/** The id of an operation on one or more sockets. Clients that count their operations share ids; UUIDs are unique. */
export class OperationId {
  readonly text: string;
  /** The id as JSON, as it is written into messages. */
  readonly json: Buffer;
  /** Number of live subscriptions under this id, over all sockets. */
  users = 0;

  constructor(text: string) {
    this.text = text;
    this.json = Buffer.from(JSON.stringify(text));
  }
}

/**
 * The ids in use, with one object for each text. `SharedFrames` can therefore compare pointers to find out whether the
 * bytes already contain an id.
 */
export class OperationIds {
  readonly #ids = new Map<string, OperationId>();

  /** Call `release` once for each `acquire`. */
  acquire(text: string): OperationId {
    let id = this.#ids.get(text);
    if (!id) {
      id = new OperationId(text);
      this.#ids.set(text, id);
    }
    id.users++;
    return id;
  }

  release(id: OperationId): void {
    id.users--;
    if (id.users === 0) this.#ids.delete(id.text);
  }
}
