/** The channels of a client by id. */
export interface Registry<Entry extends object> {
  find(id: string): Entry | undefined;
  add(id: string, entry: Entry): void;
  /** Every channel that something refers to. */
  all(): Entry[];
  /** Keeps the channel, because it is subscribed, shown or about to be given up; until `release`. */
  keep(id: string): void;
  release(id: string): void;
}

/**
 * Creates an empty registry. It keeps a channel that is in use. Of others it has weak references only: an application that
 * holds the object of a channel gets the same one again, and one that visits a channel after another does not fill the memory.
 */
export function createRegistry<Entry extends object>(): Registry<Entry> {
  const known = new Map<string, WeakRef<Entry>>();
  const used = new Set<Entry | undefined>();
  const find = (id: string) => known.get(id)?.deref();
  const all = () => [...known.values()].flatMap((reference) => reference.deref() ?? []);
  return {
    find,
    add(id, entry) {
      // Not at each addition, because it takes a time in proportion to the number of channels.
      if (known.size % 100 === 0) for (const other of known.keys()) if (!find(other)) known.delete(other);
      known.set(id, new WeakRef(entry));
    },
    all,
    keep: (id) => void used.add(find(id)),
    release: (id) => void used.delete(find(id)),
  };
}
