import { messageOf } from '../errors.ts';
import { hostRuntime, randomKey } from '../runtime.ts';
import { tabsEnvironment } from './environment.ts';
import { groupOf } from './group.ts';
import { type Role } from './leader.ts';
import { joinGroup } from './member.ts';
import { createMultiplexer, type Port, type SocketLike } from './multiplexer.ts';

/** The socket that a tab uses instead of a WebSocket of its own. Its first message, `connection_init`, tells who may share it. */
export class TabSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  readyState = 0;
  readonly #url: string;
  readonly #open: () => SocketLike;
  readonly #port: Port;
  #role: Role | undefined;

  /** @param open opens a WebSocket; called when this tab does not use the one of another tab */
  constructor(url: string, open: () => SocketLike) {
    this.#url = url;
    this.#open = open;
    this.#port = {
      deliver: (text) => this.onmessage?.({ data: text }),
      close: (code, reason) => {
        if (this.readyState === 3) return;
        this.readyState = 3;
        this.onclose?.({ code, reason });
      },
    };
    void Promise.resolve().then(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    try {
      this.#role ??= this.#join(text);
    } catch (thrown) {
      // A browser refuses some addresses at once, for example ws: from a page that came over https.
      return this.#port.close(4400, messageOf(thrown));
    }
    this.#role.send(text);
  }

  close(): void {
    this.#role?.close();
    this.#port.close(1000, '');
  }

  #join(init: string): Role {
    const { payload = {} } = JSON.parse(init) as { payload?: Record<string, unknown> };
    const environment = tabsEnvironment();
    const group = groupOf(this.#url, payload);
    if (!environment || group === undefined) return connectAlone(this.#open, this.#port);
    const id = randomKey(hostRuntime);
    return joinGroup({ group, environment, port: this.#port, id, open: this.#open });
  }
}

/** A connection that no other tab uses. */
function connectAlone(open: () => SocketLike, port: Port): Role {
  const multiplexer = createMultiplexer(open(), port);
  return {
    send: (text) => multiplexer.send(port, text),
    close: () => multiplexer.close('The client closed the connection.'),
  };
}
