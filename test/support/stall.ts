import { type Client } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { publishOnSocket } from './publish.ts';
import { startService, type ServiceClient, type TestService } from './service.ts';

/** So many messages of 60 kB are more than the kernel holds for a socket that nobody reads; they fit into one page of a replay. */
export const STALLING_MESSAGES = 150;
const PADDING = 'x'.repeat(60_000);

/** A service that takes large messages. */
export const startLargeMessageService = (): Promise<TestService> =>
  startService({ maxMessageBytes: 100_000, maxDataBytes: 100_000 });

/** Says more than a socket holds, in turn in each of the channels; `data.number` counts it. */
export async function overfillSocket(
  doors: ServiceClient,
  channels: string[],
  count = STALLING_MESSAGES,
): Promise<void> {
  const client = doors.client(undefined, { lazy: false });
  for (let number = 0; number < count; number++) {
    const channel = channels[number % channels.length]!;
    await publishOnSocket(client, { channel }, { number, PADDING });
  }
}

/**
 * From its next connection on the client reads nothing, so that what it is sent stops somewhere on the way; until it is
 * told to go on.
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
