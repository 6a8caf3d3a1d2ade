import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a service, whose live connections can be cut. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that were cut so far. */
  readonly cuts: number;
  /** Cuts every live connection at once, without a word to either side. */
  cut(): void;
}

/**
 * Passes on what comes to it to the port of the service, as it is at that moment. Each connection is cut, in the middle of whatever it carries, once as many bytes
 * have come back from the service as `lifetime` said when it was opened; undefined: never.
 */
export async function createProxy(
  service: number | (() => number),
  lifetime: () => number | undefined = () => undefined,
): Promise<Proxy> {
  const live = new Set<Socket>();
  let cuts = 0;

  function cut(client: Socket): void {
    if (!live.delete(client)) return;
    cuts++;
    client.destroySoon();
  }

  const proxy = createServer((client) => {
    const upstream = connect(typeof service === 'number' ? service : service(), '127.0.0.1');
    let left = lifetime() ?? Number.POSITIVE_INFINITY;
    live.add(client);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      if (!live.has(client)) return;
      const part = chunk.subarray(0, Math.min(chunk.length, left));
      left -= part.length;
      if (!client.write(part)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
      if (left === 0) cut(client);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
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
    cut: () => [...live].forEach(cut),
    async [Symbol.asyncDispose]() {
      for (const client of live) client.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
