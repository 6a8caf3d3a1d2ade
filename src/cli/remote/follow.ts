import { createClient, type SignalboxClient, type Status } from '@signalbox/client';
import { WebSocket } from 'ws';
import { printable } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';

/** What a subscription of a command does with its results. */
export interface Output {
  /** Writes a line to standard output, after all lines before it. `onWritten` is called once the line is written. */
  write(line: string, onWritten?: () => void): void;
  /** Ends the command. */
  done(): void;
  /** Ends the command with an error. */
  fail(reason: Error): void;
}

/** Characters that may wait for standard output. Beyond them, nothing is read from the service until half are written. */
const MAX_WAITING_CHARACTERS = 1_000_000;
/** How long an interrupted command waits for the line that is being written. */
const LAST_LINE_MS = 1_000;

/**
 * Connects a client, which reconnects by itself, and lets `subscribe` write what it receives, until the operator interrupts the
 * command, or the output is done or fails. While standard output is read too slowly, the client reads nothing, so that the
 * service treats it as a slow client. Resolves when all lines are written; lines that wait at an interruption are dropped.
 */
export async function follow(
  { terminal, url, credential }: { terminal: RemoteTerminal; url: string; credential: string },
  subscribe: (client: SignalboxClient<Record<string, unknown>>, output: Output) => void,
): Promise<void> {
  const reading = createPausableReading();
  const lines = createLineQueue(terminal, reading);
  const client = createClient({ url, credential, webSocket: reading.webSocket });
  let cutOff: () => void = () => undefined;
  const isCutOff = new Promise<void>((resolve) => (cutOff = resolve));
  try {
    const ended = new Promise<void>((resolve, reject) => {
      terminal.onInterrupt(() => {
        lines.drop();
        setTimeout(cutOff, LAST_LINE_MS).unref();
        resolve();
      });
      const report = createStatusReport(terminal, reading);
      client.on('status', report);
      subscribe(client, {
        write: lines.add,
        done: resolve,
        // The status of a client that ended has the reason; the error of its operation does not.
        fail: (reason) => reject(client.status.error ?? reason),
      });
    });
    await Promise.race([ended, lines.failed]);
  } finally {
    await client.close();
    await Promise.race([lines.written, isCutOff]);
  }
}

/** The WebSockets of a client, whose reading can be paused. */
interface PausableReading {
  readonly webSocket: new (url: string, protocols?: string | string[]) => WebSocket;
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
}

function createPausableReading(): PausableReading {
  let current: WebSocket | undefined;
  let isPaused = false;
  class PausableWebSocket extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      // eslint-disable-next-line @typescript-eslint/no-this-alias -- the client opens one after another
      current = this;
      this.on('open', () => {
        if (isPaused) this.pause();
      });
    }

    override close(code?: number, reason?: string | Buffer): void {
      // Otherwise the close frame of the service would not be read, and the process would wait for it.
      this.resume();
      super.close(code, reason);
    }
  }
  return {
    webSocket: PausableWebSocket,
    get isPaused() {
      return isPaused;
    },
    pause() {
      isPaused = true;
      current?.pause();
    },
    resume() {
      isPaused = false;
      current?.resume();
    },
  };
}

/** The lines that wait for standard output. */
interface LineQueue {
  /** Resolves when every line is written. Rejects when one cannot be written. */
  readonly written: Promise<void>;
  /** Rejects when a line cannot be written. */
  readonly failed: Promise<never>;
  add: Output['write'];
  /** Forgets every line but the one that is being written. */
  drop(): void;
}

function createLineQueue({ write }: RemoteTerminal, reading: PausableReading): LineQueue {
  let waiting: { readonly line: string; readonly onWritten: (() => void) | undefined }[] = [];
  let characters = 0;
  let isWriting = false;
  let written = Promise.resolve();
  let fail: (reason: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));

  async function writeAll(): Promise<void> {
    isWriting = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await write(next.line);
      next.onWritten?.();
      characters -= next.line.length;
      if (reading.isPaused && characters <= MAX_WAITING_CHARACTERS / 2) reading.resume();
    }
    isWriting = false;
  }

  return {
    failed,
    get written() {
      return written;
    },
    add(line, onWritten) {
      waiting.push({ line, onWritten });
      characters += line.length;
      if (characters > MAX_WAITING_CHARACTERS) reading.pause();
      if (isWriting) return;
      written = writeAll();
      written.catch(fail);
    },
    drop() {
      waiting = [];
    },
  };
}

/**
 * Notes on standard error that a client has connected, or lost its connection. A service that stays away is noted once, not at
 * each attempt.
 */
function createStatusReport({ print }: RemoteTerminal, reading: PausableReading): (status: Status) => void {
  let last = '';
  return ({ state, message, error }) => {
    if (state !== 'connected' && state !== 'waiting') return;
    // The error of a socket that closed without a sentence repeats the message of the status.
    const hasCause = state === 'waiting' && error !== undefined && error.message !== message;
    const cause = reading.isPaused ? 'Standard output is read too slowly.' : error?.message;
    const note = hasCause ? `Connection lost: ${cause} Reconnecting …` : message;
    if (note !== last) print(printable(note));
    last = note;
  };
}
