import { type Client } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { startService, type Doors, type TestService } from './service.ts';

/** Of a megabyte each: more than the kernel holds for a socket that nobody reads. */
export const TOO_MUCH = 12;
const MEGABYTE = 'x'.repeat(1_000_000);

/** A service that takes large messages. */
export const startRoomyService = (): Promise<TestService> =>
  startService({ maxMessageBytes: 4_000_000, maxDataBytes: 2_000_000 });

/** Says more than a socket holds, in turn in each of the channels; `data.number` counts it. */
export async function sayTooMuch({ request }: Doors, ...channels: string[]): Promise<void> {
  for (let number = 0; number < TOO_MUCH; number++) {
    await request(
      `mutation ($c: ID!, $data: JSON) { publishMessage(channel: $c, event: "said", data: $data) { connections } }`,
      { c: channels[number % channels.length], data: { number, MEGABYTE } },
    );
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
