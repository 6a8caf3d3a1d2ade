/** A notification of PostgreSQL is shorter than 8,000 bytes. */
const MAX_NOTIFICATION_BYTES = 7_999;
/** Room for the header: the version, the longest node id, the number of the packet and that of the chunk. */
const MAX_HEADER_BYTES = 120;
const MAX_CHUNK_BYTES = MAX_NOTIFICATION_BYTES - MAX_HEADER_BYTES;
/** Chunks of one packet: enough for a payload of the maximum size. */
const MAX_CHUNKS = 1500;

const HEADER = /^v1\|([\w-]{1,64})\|([1-9]\d{0,14})\|(\d{1,4})\/([1-9]\d{0,3})\|/;

/** The payloads that a node sends in one transaction. */
export interface Packet {
  nodeId: string;
  /** Counts the packets of the node from 1. */
  number: number;
  text: string;
}

interface Chunk extends Packet {
  /** Counts from 0. */
  index: number;
  count: number;
}

/** Divides a packet into notifications, which are numbered and therefore never equal. */
export function toNotifications({ nodeId, number, text }: Packet): string[] {
  const parts = divide(Buffer.from(text));
  return parts.map((part, index) => `v1|${nodeId}|${number}|${index}/${parts.length}|${part}`);
}

/** Divides between characters, each of which has up to four bytes. */
function divide(bytes: Buffer): string[] {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length || start === 0;) {
    let end = Math.min(start + MAX_CHUNK_BYTES, bytes.length);
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    parts.push(bytes.toString('utf8', start, end));
    if (end >= bytes.length) break;
    start = end;
  }
  return parts;
}

function parseChunk(notification: string): Chunk | undefined {
  const [header, nodeId = '', number, index, count] = HEADER.exec(notification) ?? [];
  if (header === undefined) return undefined;
  const chunk = { nodeId, number: Number(number), index: Number(index), count: Number(count) };
  return chunk.count <= MAX_CHUNKS && chunk.index < chunk.count
    ? { ...chunk, text: notification.slice(header.length) }
    : undefined;
}

/**
 * Puts packets together again. The notifications of one transaction arrive together and in order, so there is at most one
 * unfinished packet, of at most 12 MB.
 */
export class PacketAssembler {
  #packet: Omit<Chunk, 'text' | 'index'> | undefined;
  #parts: string[] = [];

  /** Adds a notification. Returns the packet that it completes, `unfinished`, or `unknown` when it belongs to none. */
  add(notification: string): Packet | 'unfinished' | 'unknown' {
    const chunk = parseChunk(notification);
    if (!chunk) return 'unknown';
    const { nodeId, number, index, count, text } = chunk;
    if (index === 0) {
      this.#packet = { nodeId, number, count };
      this.#parts = [];
    } else if (!this.#isNext(chunk)) {
      this.reset();
      return 'unknown';
    }
    this.#parts.push(text);
    if (index + 1 < count) return 'unfinished';
    const complete = { nodeId, number, text: this.#parts.join('') };
    this.reset();
    return complete;
  }

  reset(): void {
    this.#packet = undefined;
    this.#parts = [];
  }

  #isNext({ nodeId, number, index, count }: Chunk): boolean {
    const packet = this.#packet;
    return (
      packet?.nodeId === nodeId &&
      packet.number === number &&
      packet.count === count &&
      this.#parts.length === index
    );
  }
}
