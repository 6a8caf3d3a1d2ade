import { type AddressInfo } from 'node:net';
import { type Server } from 'node:http';

/** Listens on a free port and announces it. */
export function listen(server: Server): void {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(server));
}

/** Sends the port of a listening server to the parent process, and exits when the parent does. */
export function announce(server: { address(): string | AddressInfo | null }): void {
  process.send?.({ port: (server.address() as AddressInfo).port });
  process.on('disconnect', () => process.exit(0));
}
