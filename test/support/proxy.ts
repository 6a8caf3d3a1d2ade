import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a service, which can cut the connections that pass through it, or swallow what they send. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Number of connections cut so far. */
  readonly cuts: number;
  /** Cuts every live connection at once, without a close frame; or only those that have sent `text`. */
  cut(text?: string): void;
  /**
   * Begins or ends a black hole. While it lasts, connections can be opened, but every byte disappears without an error;
   * the connections of that time stay silent for ever, also after its end.
   */
  setBlackHole(isOn: boolean): void;
  /** Silences the connections that have sent `text`, as a black hole does; others, and new ones, are not affected. */
  silence(text: string): void;
  /** Keeps what the service sends from now on, until the returned function is called, which lets it pass. Nothing is lost. */
  hold(): () => void;
}

/** The characters by which a connection is recognized. */
const MAX_OPENING = 4096;

/**
 * Starts a proxy on a free port.
 *
 * @param service the port of the service; a function is evaluated for each connection, so that the service may restart.
 * @param bytesUntilCut evaluated for each connection: the connection is cut once the service has sent so many bytes over
 *   it, possibly in the middle of a frame. Undefined means never.
 */
export async function createProxy(
  service: number | (() => number),
  bytesUntilCut: () => number | undefined = () => undefined,
): Promise<Proxy> {
  const live = new Set<Socket>();
  /** What each client sent first, until it has sent enough to be recognized. */
  const openings = new Map<Socket, string>();
  const swallowed = new Set<Socket>();
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let isHeld = false;
  let isBlackHole = false;
  let cuts = 0;

  function cut(client: Socket): void {
    if (!live.delete(client)) return;
    cuts++;
    client.destroySoon();
  }

  function swallow(client: Socket): void {
    live.delete(client);
    swallowed.add(client);
    client.unpipe().resume();
  }

  const liveWith = (text: string) => [...live].filter((client) => openings.get(client)?.includes(text));

  const proxy = createServer((client) => {
    const upstream = connect(typeof service === 'number' ? service : service(), '127.0.0.1');
    let remaining = bytesUntilCut() ?? Number.POSITIVE_INFINITY;
    upstreams.add(upstream);
    if (isHeld) upstream.pause();
    live.add(client);
    openings.set(client, '');
    client.on('data', (chunk: Buffer) => {
      const opening = openings.get(client) ?? '';
      if (opening.length < MAX_OPENING) openings.set(client, opening + chunk.toString('latin1'));
    });
    if (isBlackHole) swallow(client);
    else client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      if (!live.has(client)) return;
      const part = chunk.subarray(0, Math.min(chunk.length, remaining));
      remaining -= part.length;
      if (!client.write(part)) {
        upstream.pause();
        client.once('drain', () => isHeld || upstream.resume());
      }
      if (remaining === 0) cut(client);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        openings.delete(socket);
        upstreams.delete(socket);
        if (swallowed.has(client)) return;
        live.delete(client);
        client.destroySoon();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));

  return {
    port: (proxy.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cut: (text = '') => liveWith(text).forEach(cut),
    silence: (text) => liveWith(text).forEach(swallow),
    hold() {
      isHeld = true;
      for (const upstream of upstreams) upstream.pause();
      return () => {
        isHeld = false;
        for (const upstream of upstreams) upstream.resume();
      };
    },
    setBlackHole(isOn) {
      isBlackHole = isOn;
      if (isOn) [...live].forEach(swallow);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
