import { createClient, SignedOut, type ClientStorage, type Status } from '@signalbox/client';
import { divideBetweenTabs, shareBetweenTabs } from '@signalbox/client/tabs';

/**
 * The page of the tests in a browser. Its address has the service, the channel, the user, whether it has a storage and
 * whether it shares its connection with other tabs.
 */
const parameters = new URLSearchParams(location.search);
const identity = parameters.get('identity') ?? '';
let sockets = 0;
let isRestored = false;
/** Resolves when the storage holds what the client has written so far. */
let stored: () => Promise<unknown> = () => Promise.resolve();

/** Counts the connections that this page opens, not those that it uses. */
class CountedWebSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    sockets++;
  }
}

/** An adapter of IndexedDB, as a page writes it. */
function openDatabase(): ClientStorage {
  const opened = new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open(identity);
    opening.onupgradeneeded = () => opening.result.createObjectStore('values');
    opening.onsuccess = () => resolve(opening.result);
  });
  const run = async (mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest) => {
    const request = act((await opened).transaction('values', mode).objectStore('values'));
    return new Promise<string | null>((resolve, reject) => {
      request.onsuccess = () => resolve((request.result as string | undefined) ?? null);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB failed.'));
    });
  };
  stored = () => run('readonly', (store) => store.count());
  return {
    getItem: (key) => run('readonly', (store) => store.get(key)),
    setItem: (key, value) => run('readwrite', (store) => store.put(value, key)),
    removeItem: (key) => run('readwrite', (store) => store.delete(key)),
  };
}

/** `localStorage` and `divided`: the storage that all tabs share. */
function storageOption(name: string | null): {
  storage?: ClientStorage | (() => ClientStorage);
  storageKey?: string;
} {
  if (name === null) return {};
  if (name === 'localStorage') return { storage: () => localStorage, storageKey: identity };
  if (name === 'divided')
    return { storage: divideBetweenTabs(() => localStorage, identity), storageKey: identity };
  return { storage: name === 'indexedDB' ? openDatabase : () => sessionStorage };
}

const client = createClient<{ message: { text: string } }>({
  url: parameters.get('url') ?? '',
  async credential(reason) {
    const response = await fetch(`/credential?${new URLSearchParams({ identity, reason }).toString()}`);
    if (response.status === 401) throw new SignedOut();
    if (!response.ok) throw new Error(`The backend answered ${response.status}.`);
    return response.text();
  },
  webSocket: parameters.has('tabs') ? shareBetweenTabs({ webSocket: CountedWebSocket }) : CountedWebSocket,
  ...storageOption(parameters.get('storage')),
});
const channel = client.channel(parameters.get('channel') ?? '');
const received: string[] = [];
const failed: string[] = [];
const statuses: (Status & { at: number; cause: string | undefined })[] = [];

// `persisted`: the browser has kept the page as it was, and shows it again.
addEventListener('pageshow', ({ persisted }) => (isRestored ||= persisted));
client.on('status', (status) => statuses.push({ ...status, at: Date.now(), cause: status.error?.message }));
channel.on('message', ({ data }) => received.push(data.text));
channel.subscribe(() => undefined);

/** What a test asks of the page. */
const app = {
  say(text: string) {
    channel.publish('message', { text }).catch(() => failed.push(text));
  },
  type: () => channel.typing.start(),
  stored: () => stored(),
  close: () => client.close(),
  report() {
    const { messages, members, typing } = channel.getSnapshot();
    return {
      received,
      failed,
      statuses,
      sockets,
      isRestored,
      shown: messages.map(({ data }) => data.text),
      states: [...new Set(messages.map(({ state }) => state))],
      members: members.map(({ key }) => key),
      typing: typing.map(({ key }) => key),
      state: client.status.state,
      connection: client.viewer?.connection,
    };
  },
};

export type Report = ReturnType<typeof app.report>;
Object.assign(globalThis, { app });
