import { type WebSocketClass } from '../runtime.ts';

/** A `BroadcastChannel`, as far as tabs use it. Messages to a channel do not come back to the object that posted them. */
export interface BroadcastChannelLike {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** A `LockManager` of the Web Locks API, as far as tabs use it. */
export interface LocksLike {
  request(
    name: string,
    options: { readonly signal?: unknown; readonly steal?: boolean; readonly ifAvailable?: boolean },
    /** `lock`: null when it is not available. */
    whileHeld: (lock: unknown) => unknown,
  ): Promise<unknown>;
}

/** The functions of a browser by which its tabs find each other. */
export interface TabsEnvironment {
  readonly locks: LocksLike;
  readonly BroadcastChannel: new (name: string) => BroadcastChannelLike;
  readonly AbortController: new () => { readonly signal: unknown; abort(): void };
  setTimeout(action: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls `listener` when the browser is about to freeze the tab, until the returned function is called. */
  onFreeze(listener: () => void): () => void;
}

type Host = Omit<TabsEnvironment, 'locks' | 'BroadcastChannel' | 'onFreeze'> & {
  readonly BroadcastChannel?: TabsEnvironment['BroadcastChannel'];
  readonly navigator?: { readonly locks?: LocksLike };
  readonly WebSocket?: WebSocketClass;
  /** Undefined in workers, which freeze with their pages. */
  readonly document?: {
    addEventListener(type: 'freeze', listener: () => void): void;
    removeEventListener(type: 'freeze', listener: () => void): void;
  };
};

// The packages are compiled without the types of browsers.
const host = globalThis as unknown as Host;

/** The environment, or undefined without Web Locks or BroadcastChannel: in old browsers, on pages over http, in Node. */
export function tabsEnvironment(): TabsEnvironment | undefined {
  const { BroadcastChannel, AbortController, navigator } = host;
  if (!navigator?.locks || !BroadcastChannel) return undefined;
  return {
    ...{ locks: navigator.locks, BroadcastChannel, AbortController },
    setTimeout: (action, ms) => host.setTimeout(action, ms),
    clearTimeout: (timer) => host.clearTimeout(timer),
    onFreeze(listener) {
      host.document?.addEventListener('freeze', listener);
      return () => host.document?.removeEventListener('freeze', listener);
    },
  };
}

/** The WebSocket class of the environment. */
export const hostWebSocket = (): WebSocketClass | undefined => host.WebSocket;
