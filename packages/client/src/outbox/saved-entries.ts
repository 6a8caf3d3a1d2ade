import { type SafeStorage } from '../safe-storage.ts';

/** An entry in the storage. */
export interface SavedEntry {
  readonly key: string;
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly createdAt: number;
  readonly sentAt?: number | undefined;
  /** The identity or the token that it is to be published by. Undefined: unknown, because the page never had a socket. */
  readonly owner?: string | undefined;
}

/** The durable part of an outbox. */
export interface SavedEntries {
  /** Reads what an earlier page stored, in its order. Nothing is written before. */
  load(): Promise<SavedEntry[]>;
  /** Stores an entry after the others, or replaces it where it is. Undefined removes it. */
  set(key: string, entry?: SavedEntry): void;
}

/** Of a longer range, the newest slots are read. */
const MAX_SLOTS = 100_000;

/**
 * Keeps entries in a storage, each in a slot of its own: `<key>:7`, `<key>:8` …, and the range of slots, `[7,9]`, under `<key>`. So
 * a change costs the same however many entries wait. A slot that fails, or holds something else, counts as empty.
 */
export function createSavedEntries(storage: SafeStorage | undefined, key: string): SavedEntries {
  const slots = new Map<string, number>();
  let end = 0;
  let isLoaded = false;

  const slotKey = (slot: number) => `${key}:${slot}`;

  return {
    async load() {
      const [first = 0, last = 0] = [parse(await storage?.read(key))].flat().map(Number);
      end = last || 0;
      const begin = Math.max(first, end - MAX_SLOTS);
      const read = async (_: unknown, index: number) => parse(await storage?.read(slotKey(begin + index)));
      const entries = await Promise.all(Array.from({ length: end - begin }, read));
      entries.forEach((entry, index) => isEntry(entry) && slots.set(entry.key, begin + index));
      isLoaded = true;
      return entries.filter(isEntry);
    },
    set(id, entry) {
      if (!isLoaded) return;
      const slot = slots.get(id) ?? end++;
      if (entry) slots.set(id, slot);
      else slots.delete(id);
      const [first] = slots.values();
      // The range first, so that no slot is outside of it.
      void storage?.write(key, first === undefined ? undefined : `[${first},${end}]`);
      void storage?.write(slotKey(slot), entry && JSON.stringify(entry));
    },
  };
}

function parse(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is SavedEntry {
  const { key, channel, event, createdAt } = (value ?? {}) as SavedEntry;
  return [key, channel, event].every((text) => typeof text === 'string') && Math.abs(createdAt) < 8e15;
}
