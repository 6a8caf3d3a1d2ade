import { SignalboxError } from '../errors.ts';
import { type WebSocketClass } from '../runtime.ts';
import { hostWebSocket } from './environment.ts';
import { type SocketLike } from './multiplexer.ts';
import { TabSocket } from './tab-socket.ts';

export { divideBetweenTabs } from './divide-between-tabs.ts';

/** Options of `shareBetweenTabs`. */
export interface ShareBetweenTabsOptions {
  /** The WebSocket class of the shared connection. Default: the one of the environment. */
  readonly webSocket?: WebSocketClass;
}

/**
 * Lets the tabs of a browser share one connection: pass the result as the option `webSocket` of `createClient`. Tabs share
 * if they are of one origin, use the same service and project, and have credentials of the same token. Each keeps its own
 * subscriptions, position and outbox. When the tab that holds the connection is closed or frozen, another tab opens a new
 * one, and all resume. Without Web Locks or BroadcastChannel, for example on a page over plain http, each tab has its own
 * connection.
 *
 * @example
 * const signalbox = createClient({ url, credential, storage: () => sessionStorage, webSocket: shareBetweenTabs() });
 */
export function shareBetweenTabs({ webSocket }: ShareBetweenTabsOptions = {}): WebSocketClass {
  return class extends TabSocket {
    constructor(url: string, protocols?: string | string[]) {
      const Native = webSocket ?? hostWebSocket();
      if (!Native)
        throw new SignalboxError('BAD_USER_INPUT', 'There is no WebSocket here: pass the option webSocket.');
      super(url, () => new Native(url, protocols) as SocketLike);
    }
  };
}
