import { type ClientStorage } from '../runtime.ts';
import { chooseRestoredPart, choosePart, type Part } from './storage-part.ts';

interface Host {
  /** Undefined outside of pages. */
  addEventListener?(type: 'pagehide' | 'pageshow', listener: () => void): void;
}

// The packages are compiled without the types of browsers.
const host = globalThis as unknown as Host;

/** The divided storages of this page, by `storageKey`: a client that follows another one of the page has the same part. */
const divided = new Map<string, ClientStorage>();

/**
 * Divides a storage that all tabs of a browser share, such as `localStorage`, so that each tab has a position and an outbox of
 * its own: pass the result as the option `storage` of `createClient`. Without it, tabs overwrite the stored outbox of each other.
 * When its client connects, a tab takes over what a closed tab has left to publish, or else a free part. Guests are shared.
 * Without Web Locks, for example on a page over plain http, the storage is not divided.
 *
 * @param storageKey the option `storageKey` of the client. Default: `signalbox`.
 * @example
 * const signalbox = createClient({ url, credential, storage: divideBetweenTabs(() => localStorage) });
 */
export function divideBetweenTabs(
  storage: ClientStorage | (() => ClientStorage),
  storageKey = 'signalbox',
): ClientStorage {
  const made = divided.get(storageKey) ?? createDividedStorage(storage, storageKey);
  divided.set(storageKey, made);
  return made;
}

function createDividedStorage(
  storage: ClientStorage | (() => ClientStorage),
  storageKey: string,
): ClientStorage {
  const open = () => (typeof storage === 'function' ? storage() : storage);
  const outboxKey = `${storageKey}:outbox`;
  const keyIn = (part: number, key: string) =>
    part === 0 || key === `${storageKey}:guest` ? key : `${key}#${part}`;
  const options = {
    name: `signalbox:${storageKey}`,
    readOutbox: async (part: number) => open().getItem(keyIn(part, outboxKey)),
  };

  /** Undefined until it is chosen; null: there is none for this tab, which keeps nothing. */
  let part: Part | null | undefined;
  let choosing: Promise<Part | null> | undefined;
  /** What this tab has stored under the key of the outbox. */
  let outbox: string | null = null;

  const choose = async (chosen: Promise<Part | null>) => (part = await chosen);
  const ready = () => (choosing ??= choose(choosePart(options)));

  function write(key: string, value: string | null): unknown {
    // A page may be closed right after a message was queued: what can be stored at once, is.
    if (part === undefined) return ready().then(() => write(key, value));
    if (key === outboxKey) outbox = value;
    if (part === null) return undefined;
    const own = keyIn(part.number, key);
    return value === null ? open().removeItem(own) : open().setItem(own, value);
  }

  // Browsers restore no page that holds a lock.
  let isHidden = false;
  host.addEventListener?.('pagehide', () => {
    isHidden = true;
    part?.release();
  });
  host.addEventListener?.('pageshow', () => {
    if (!isHidden || !choosing) return;
    isHidden = false;
    const former = part?.number;
    part = undefined;
    choosing = choose(chooseRestoredPart(options, former, outbox));
  });

  return {
    async getItem(key) {
      const own = await ready();
      const value = own && (await open().getItem(keyIn(own.number, key)));
      if (key === outboxKey) outbox = value;
      return value;
    },
    setItem: write,
    removeItem: (key) => write(key, null),
  };
}
