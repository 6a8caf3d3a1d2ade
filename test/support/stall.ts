import { type Client } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { publishOnSocket } from './publish.ts';
import { startService, type ServiceClient, type TestService } from './service.ts';

/**
 * Number of 60 kB messages that exceeds the kernel's buffers of a socket that does not read. They still fit into one page of
 * a replay.
 */
export const STALLING_MESSAGES = 150;
const PADDING = 'x'.repeat(60_000);

/** Starts a service that accepts messages of up to 100 kB. */
export const startLargeMessageService = (): Promise<TestService> =>
  startService({ maxMessageBytes: 100_000, maxDataBytes: 100_000 });

/** Publishes more than the socket buffers hold, to each of the channels in turn. `data.number` counts the messages. */
export async function overfillSocket(
  service: ServiceClient,
  channels: string[],
  count = STALLING_MESSAGES,
): Promise<void> {
  const client = service.client(undefined, { lazy: false });
  for (let number = 0; number < count; number++) {
    const channel = channels[number % channels.length]!;
    await publishOnSocket(client, { channel }, { number, PADDING });
  }
}

/**
 * Makes the client stop reading from its next connection on, so that the messages to it stay in the buffers. `resume()`
 * starts reading again.
 */
export function stall(client: Client): { resume(): void } {
  let socket: WebSocket | undefined;
  let isStalled = true;
  client.on('connected', (connected) => {
    socket = connected as WebSocket;
    if (isStalled) socket.pause();
  });
  return {
    resume() {
      isStalled = false;
      socket?.resume();
    },
  };
}
