/** The id under which clients run an operation. Clients that number their operations share one; a UUID is its client’s own. */
export class OperationId {
  readonly text: string;
  /** As it stands in a message. */
  readonly json: Buffer;
  /** Operations that run under it now. */
  users = 0;

  constructor(text: string) {
    this.text = text;
    this.json = Buffer.from(JSON.stringify(text));
  }
}

/** The ids that are in use: one object for each text, so that whether bytes bear an id already is told by comparing pointers. */
export class OperationIds {
  readonly #ids = new Map<string, OperationId>();

  /** To be released once. */
  take(text: string): OperationId {
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
