import { type SafeStorage } from '../safe-storage.ts';
import { type MutableEntry } from './entry.ts';

/** An entry in the storage, with the token that it is to be published by. */
export interface SavedEntry {
  readonly key: string;
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly createdAt: number;
  readonly sentAt?: number | undefined;
  readonly owner?: string | undefined;
}

/** The durable part of an outbox. */
export interface SavedEntries {
  load(): Promise<SavedEntry[]>;
  save(entries: readonly MutableEntry[], owner: string | undefined): void;
}

/** Keeps entries in a storage. A storage that fails, or holds something else, counts as empty. */
export function createSavedEntries(storage: SafeStorage | undefined, key: string): SavedEntries {
  return {
    async load() {
      try {
        const saved: unknown = JSON.parse((await storage?.read(key)) ?? '[]');
        return Array.isArray(saved) ? (saved as SavedEntry[]).filter(isEntry) : [];
      } catch {
        return [];
      }
    },
    save(entries, owner) {
      if (!storage) return;
      const saved = entries.map(({ key, channel, event, data, createdAt, sentAt }) => ({
        ...{ key, channel, event, data, createdAt, sentAt, owner },
      }));
      void storage.write(key, saved.length > 0 ? JSON.stringify(saved) : undefined);
    },
  };
}

const isEntry = ({ key, channel, event, createdAt }: SavedEntry) =>
  [key, channel, event].every((text) => typeof text === 'string') && typeof createdAt === 'number';
