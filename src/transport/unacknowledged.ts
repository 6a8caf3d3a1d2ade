import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { groupsOf } from './network-address.ts';

/**
 * Notices peers that vanished: their machine lost power or its network, so no FIN and no RST ever arrives. Node shows the
 * bytes that the kernel has not taken, but not those that it took and that the peer never acknowledged; Linux lists them
 * in `/proc/net/tcp`. Where that file does not exist, the kernel gives up by itself, after about 15 minutes.
 */
export interface UnacknowledgedBytes extends Disposable {
  /**
   * Calls `onVanished` once the peer has acknowledged nothing for one to two intervals although bytes wait and the kernel
   * has sent them again. A peer that is alive but does not read is never concerned: its kernel answers.
   * @returns a function that ends the watch
   */
  watch(socket: Socket, onVanished: () => void): () => void;
}

interface Watched {
  socket: Socket;
  onVanished: () => void;
  /** Bytes that the peer had acknowledged at the last check; undefined if none were waiting. */
  acknowledged: number | undefined;
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/** @param intervalMs time between two checks. A check reads the list of all TCP sockets, outside of the event loop's turn. */
export function createUnacknowledgedBytes(intervalMs: number): UnacknowledgedBytes {
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;

  async function check(): Promise<void> {
    const waiting = new Map<string, number>();
    for (const path of TABLES) await readTable(path, watched, waiting);
    for (const [key, peer] of watched) {
      const unacknowledged = waiting.get(key);
      const { bytesWritten, writableLength } = peer.socket;
      const acknowledged = unacknowledged && bytesWritten - writableLength - unacknowledged;
      const hasVanished = acknowledged !== undefined && acknowledged === peer.acknowledged;
      peer.acknowledged = acknowledged;
      if (hasVanished) peer.onVanished();
    }
  }

  function arm(): void {
    timer ??= setTimeout(() => {
      void check().then(() => {
        timer = undefined;
        if (watched.size > 0) arm();
      });
    }, intervalMs).unref();
  }

  return {
    watch(socket, onVanished) {
      const key = keyOf(socket);
      if (key === undefined) return () => undefined;
      watched.set(key, { socket, onVanished, acknowledged: undefined });
      arm();
      return () => {
        if (watched.get(key)?.onVanished === onVanished) watched.delete(key);
      };
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      watched.clear();
    },
  };
}

/** Adds the unacknowledged bytes of the sockets in `wanted` whose kernel repeats them. Does nothing if the table cannot be read. */
async function readTable(
  path: string,
  wanted: ReadonlyMap<string, unknown>,
  into: Map<string, number>,
): Promise<void> {
  try {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      const match = ROW.exec(line);
      if (!match) continue;
      const key = `${match[1]}>${match[2]}`;
      if (wanted.has(key)) into.set(key, Number.parseInt(match[3] ?? '0', 16));
    }
  } catch {
    // Not Linux, or the table is hidden from the process.
  }
}

/**
 * A row of a socket with unacknowledged bytes that were sent again at least once: local and remote address, state, bytes
 * that wait to be acknowledged and to be read, the retransmission timer (01), and the number of repeats.
 */
const ROW =
  /^\s*\d+: ([\dA-F]+:[\dA-F]{4}) ([\dA-F]+:[\dA-F]{4}) [\dA-F]{2} (?!0{8})([\dA-F]{8}):[\dA-F]{8} 01:[\dA-F]{8} (?!0{8})[\dA-F]{8} /;

function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string | undefined {
  const local = hexOf(localAddress, localPort);
  const remote = hexOf(remoteAddress, remotePort);
  return local && remote && `${local}>${remote}`;
}

/** An address as the kernel prints it: the bytes of each 32-bit word in the order of the processor, which is little-endian. */
function hexOf(address = '', port = 0): string | undefined {
  const bytes = isIPv4(address)
    ? address.split('.').map(Number)
    : isIPv6(address)
      ? groupsOf(address).flatMap((group) => [group >> 8, group & 0xff])
      : undefined;
  if (!bytes) return undefined;
  const words = Array.from({ length: bytes.length / 4 }, (_, word) =>
    bytes.slice(word * 4, word * 4 + 4).reverse(),
  );
  return `${Buffer.from(words.flat()).toString('hex').toUpperCase()}:${hex4(port)}`;
}

const hex4 = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
