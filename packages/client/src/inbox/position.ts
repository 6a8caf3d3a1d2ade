import { type SafeStorage } from '../safe-storage.ts';

/** The cursor of the inbox, kept across page loads where there is a storage. */
export interface Position {
  readonly cursor: string | undefined;
  /** Reads the stored cursor. */
  load(): Promise<void>;
  /** Uses a cursor only where there is none yet. */
  begin(cursor: string | null | undefined): void;
  /** Undefined: there is no position any more. */
  advance(cursor: string | undefined): void;
}

/** Creates the position of a client. If the storage fails, the client starts with the next message. */
export function createPosition(storage: SafeStorage | undefined, key: string): Position {
  let cursor: string | undefined;
  function write(next: string | undefined): void {
    cursor = next;
    void storage?.write(key, next);
  }
  return {
    get cursor() {
      return cursor;
    },
    async load() {
      const stored = await storage?.read(key);
      if (stored) cursor ??= stored;
    },
    begin(first) {
      if (first && !cursor) write(first);
    },
    advance: write,
  };
}
