import { fstatSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

/** Lines that wait for a destination that does not take them, in bytes. Further lines are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Lines of one write, in bytes, so that a failed write loses few lines. */
const MAX_WRITE_BYTES = 64 * 1024;
/** How long disposing waits for a destination that takes no lines, in milliseconds. */
const MAX_FLUSH_MS = 1000;
/** Time between two attempts to write to a device that is not ready, in milliseconds. */
const RETRY_INTERVAL_MS = 50;

/**
 * Writes log lines without ever blocking or ending the process: a full disk, a pipe that nothing reads and a closed pipe
 * only lose lines. Disposing writes the waiting lines, for at most a second.
 */
export interface LogDestination extends AsyncDisposable {
  /** @param line ends with a line break */
  write(line: string): void;
}

/**
 * Opens a file descriptor as a log destination.
 * @param onDropped is called with the number of lines that were just lost
 * @param onRecovered is called when lines are written again, with the number of lines that were lost before
 */
export function openLogDestination(
  fd: number,
  { onDropped, onRecovered }: { onDropped: (count: number) => void; onRecovered: (count: number) => void },
): LogDestination {
  const writeChunk = isStream(fd) ? streamWriter(fd) : fileWriter(fd);
  let waiting: string[] = [];
  let waitingBytes = 0;
  let lost = 0;
  let writing: Promise<void> | undefined;

  function drop(count: number): void {
    lost += count;
    onDropped(count);
  }

  function takeChunk(): { text: string; count: number; bytes: number } {
    let count = 0;
    let bytes = 0;
    while (count < waiting.length && bytes < MAX_WRITE_BYTES) bytes += lengthOf(waiting[count++]);
    return { text: waiting.splice(0, count).join(''), count, bytes };
  }

  async function writeWaiting(): Promise<void> {
    // Lines of one turn of the event loop are written together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const { text, count, bytes } = takeChunk();
      const isWritten = await writeChunk(text).then(
        () => true,
        () => false,
      );
      waitingBytes -= bytes;
      if (!isWritten) drop(count);
      else if (lost > 0) {
        const recovered = lost;
        lost = 0;
        onRecovered(recovered);
      }
    }
    writing = undefined;
  }

  return {
    write(line) {
      const bytes = lengthOf(line);
      if (waitingBytes + bytes > MAX_WAITING_BYTES) return drop(1);
      waiting.push(line);
      waitingBytes += bytes;
      writing ??= writeWaiting();
    },
    async [Symbol.asyncDispose]() {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, MAX_FLUSH_MS)));
      await Promise.race([writing, deadline]);
      clearTimeout(timer);
      waiting = [];
    },
  };
}

const lengthOf = (line = '') => Buffer.byteLength(line);

/** Pipes and sockets can be written without blocking; files and terminals cannot, so a thread writes them. */
function isStream(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

type WriteChunk = (text: string) => Promise<void>;

function streamWriter(fd: number): WriteChunk {
  const socket = new Socket({ fd, readable: false, writable: true });
  // The callback of `write` reports the error. A pipe that was closed stays closed.
  socket.on('error', () => undefined).unref();
  return (text) =>
    new Promise((resolve, reject) => socket.write(text, (error) => (error ? reject(error) : resolve())));
}

function fileWriter(fd: number): WriteChunk {
  const writeBytes = promisify(write);
  /** Whether the last line was cut off by a full disk. */
  let isTorn = false;
  return async (text) => {
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += (await writeBytes(fd, bytes, offset)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          isTorn ||= offset > 0;
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS));
      }
    }
    isTorn = false;
  };
}
