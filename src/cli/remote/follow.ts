import { createClient, type SignalboxClient, type Status } from '@signalbox/client';
import { WebSocket } from 'ws';
import { printable } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';

/** What a subscription of a command does with its results. */
export interface Output {
  /** Writes a line to standard output, after all lines before it. */
  write(line: string): void;
  /** Ends the command. */
  done(): void;
  /** Ends the command with an error. */
  fail(reason: Error): void;
}

/**
 * Connects a client, which reconnects by itself, and lets `subscribe` write what it receives, until the operator interrupts the
 * command, or the output is done or fails. Resolves when all lines are written.
 */
export async function follow(
  { terminal, url, credential }: { terminal: RemoteTerminal; url: string; credential: string },
  subscribe: (client: SignalboxClient<Record<string, unknown>>, output: Output) => void,
): Promise<void> {
  const client = createClient({ url, credential, webSocket: WebSocket });
  let writing = Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      terminal.onInterrupt(resolve);
      const report = createStatusReport(terminal);
      client.on('status', report);
      subscribe(client, {
        write(line) {
          writing = writing.then(() => terminal.write(line));
        },
        done: resolve,
        // The status of a client that ended has the reason; the error of its operation does not.
        fail: (reason) => reject(client.status.error ?? reason),
      });
    });
  } finally {
    await client.close();
    await writing;
  }
}

/**
 * Notes on standard error that a client has connected, or lost its connection. A service that stays away is noted once, not at
 * each attempt.
 */
function createStatusReport({ print }: RemoteTerminal): (status: Status) => void {
  let last = '';
  return ({ state, message, error }) => {
    if (state !== 'connected' && state !== 'waiting') return;
    // The error of a socket that closed without a sentence repeats the message of the status.
    const hasCause = state === 'waiting' && error !== undefined && error.message !== message;
    const note = hasCause ? `Connection lost: ${error.message} Reconnecting …` : message;
    if (note !== last) print(printable(note));
    last = note;
  };
}
