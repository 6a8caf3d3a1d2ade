/** The key-value storage of a page, such as `sessionStorage`, or an adapter of IndexedDB or AsyncStorage. */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** What the client needs of a WebSocket class: a browser, Node 22 and the package `ws` have one. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => unknown;

/** An `AbortSignal`, as far as the client uses it. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  /** Why, usually an error; undefined in old environments. */
  readonly reason?: Error;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The part of `fetch` that the client uses. */
export type FetchLike = (
  url: string,
  init: { method: string; headers: Record<string, string>; body: string },
) => Promise<{ json(): Promise<unknown> }>;

/** What a page reports about itself: it may be online again, visible again, about to be hidden, or restored. */
export type PageSignal = 'check' | 'offline' | 'hide' | 'show';

/** Clock, randomness and environment of a client. Tests inject their own. */
export interface Runtime {
  /** Milliseconds since 1970. */
  now(): number;
  setTimer(action: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** The default class; undefined in Node before version 22. */
  readonly webSocket: WebSocketClass | undefined;
  readonly fetch: FetchLike | undefined;
  /** Calls `listener` for what the page reports until the returned function is called. Does nothing outside of pages. */
  onPageSignal(listener: (signal: PageSignal) => void): () => void;
}

type PageListener = (event: { readonly type: string }) => void;

interface Host {
  setTimeout(action: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Undefined outside of pages. */
  addEventListener?(type: string, listener: PageListener): void;
  removeEventListener?(type: string, listener: PageListener): void;
  WebSocket?: WebSocketClass;
  fetch?: FetchLike;
  document?: { readonly visibilityState?: string };
}

/** The events of a window, and what they mean. */
const PAGE_SIGNALS: Readonly<Record<string, PageSignal>> = {
  ...{ online: 'check', offline: 'offline', pagehide: 'hide', pageshow: 'show', visibilitychange: 'check' },
};

// The packages are compiled without the types of browsers and of Node, so that neither is used by accident.
const host = globalThis as unknown as Host;

/** The environment that the client runs in. Nothing is read from it before a function is called. */
export const hostRuntime: Runtime = {
  now: () => Date.now(),
  // A longer time would overflow, and the timer would fire at once.
  setTimer: (action, ms) => host.setTimeout(action, Math.min(ms, 2 ** 31 - 1)),
  clearTimer: (timer) => host.clearTimeout(timer),
  random: () => Math.random(),
  get webSocket() {
    return host.WebSocket;
  },
  get fetch() {
    return host.fetch?.bind(globalThis);
  },
  onPageSignal(listener) {
    const onEvent: PageListener = ({ type }) => {
      const signal = PAGE_SIGNALS[type];
      const isHiding = type === 'visibilitychange' && host.document?.visibilityState !== 'visible';
      if (signal && !isHiding) listener(signal);
    };
    const types = Object.keys(PAGE_SIGNALS);
    for (const type of types) host.addEventListener?.(type, onEvent);
    return () => types.forEach((type) => host.removeEventListener?.(type, onEvent));
  },
};

/** 24 random letters and digits (124 bits): an idempotency key that no other client chooses. */
export function randomKey(runtime: Runtime): string {
  let key = '';
  while (key.length < 24) key += Math.floor(runtime.random() * 36).toString(36);
  return key;
}
