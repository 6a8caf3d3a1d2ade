import { type ClientStorage } from './runtime.ts';

/** A storage whose calls never fail: what cannot be read is null, and what cannot be written is not kept. */
export interface SafeStorage {
  read(key: string): Promise<string | null>;
  /** Undefined removes the key. A storage that answers at once has the value when this returns. */
  write(key: string, value: string | undefined): Promise<unknown>;
}

/** Makes a storage safe: a browser may forbid the storage of a page, and throw where it is mentioned or when it is full. */
export function createSafeStorage(storage: ClientStorage | (() => ClientStorage)): SafeStorage {
  async function attempt<T>(use: (storage: ClientStorage) => T): Promise<Awaited<T> | null> {
    try {
      return await use(typeof storage === 'function' ? storage() : storage);
    } catch {
      return null;
    }
  }
  return {
    read: (key) => attempt((open) => open.getItem(key)),
    write: (key, value) =>
      attempt((open) => (value === undefined ? open.removeItem(key) : open.setItem(key, value))),
  };
}
