import { type ServerResponse } from 'node:http';
import { type Connection } from '../connections/connection.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Doorman } from './doorman.ts';
import { type Metrics } from './metrics.ts';

/** Opens the connection that an HTTP request turns into when it becomes a stream; it lasts no longer than the response. */
export async function openSse(
  { domain, doorman, metrics }: { domain: Domain; doorman: Doorman; metrics: Metrics },
  caller: Caller,
  address: string,
  response: ServerResponse,
): Promise<Connection> {
  doorman.enter(address);
  try {
    const connection = await domain.connections.open(() => domain.authenticate.refresh(caller), 'SSE');
    metrics.connected('sse');
    connection.onClose((reason) => {
      doorman.leave(address);
      metrics.disconnected('sse');
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer();
    });
    // Yoga lets go of a stream that it cannot send, as to a client that wants JSON, without a word.
    response.once('close', () => connection.close('CLIENT_LEFT'));
    if (response.closed) connection.close('CLIENT_LEFT');
    return connection;
  } catch (error) {
    doorman.leave(address);
    throw error;
  }
}
