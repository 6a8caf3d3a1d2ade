import { type Client } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { sayOn } from './say.ts';
import { startService, type Doors, type TestService } from './service.ts';

/** So many messages of 60 kB are more than the kernel holds for a socket that nobody reads; they fit into one page of a replay. */
export const TOO_MUCH = 150;
const PADDING = 'x'.repeat(60_000);

/** A service that takes large messages. */
export const startRoomyService = (): Promise<TestService> =>
  startService({ maxMessageBytes: 100_000, maxDataBytes: 100_000 });

/** Says more than a socket holds, in turn in each of the channels; `data.number` counts it. */
export async function sayTooMuch(doors: Doors, channels: string[], count = TOO_MUCH): Promise<void> {
  const client = doors.client(undefined, { lazy: false });
  for (let number = 0; number < count; number++) {
    const channel = channels[number % channels.length]!;
    await sayOn(client, { channel }, { number, PADDING });
  }
}

/**
 * From its next connection on the client reads nothing, so that what it is sent stops somewhere on the way; until it is
 * told to go on.
 */
export function stall(client: Client): { goOn(): void } {
  let socket: WebSocket | undefined;
  let isStalled = true;
  client.on('connected', (connected) => {
    socket = connected as WebSocket;
    if (isStalled) socket.pause();
  });
  return {
    goOn() {
      isStalled = false;
      socket?.resume();
    },
  };
}
