import { type ServerResponse } from 'node:http';
import { type Connection } from '../connections/connection.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type ConnectionLimiter } from './connection-limiter.ts';
import { type Metrics } from './metrics.ts';

/** Opens the connection that an HTTP request turns into when it becomes a stream; it lasts no longer than the response. */
export async function openSse(
  { domain, limiter, metrics }: { domain: Domain; limiter: ConnectionLimiter; metrics: Metrics },
  caller: Caller,
  address: string,
  response: ServerResponse,
): Promise<Connection> {
  limiter.acquire(address);
  try {
    const connection = await domain.connections.open(() => domain.authenticate.refresh(caller), 'SSE');
    metrics.connected('sse');
    connection.onClose((reason) => {
      limiter.release(address);
      metrics.disconnected('sse');
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer();
    });
    // Yoga lets go of a stream that it cannot send, as to a client that wants JSON, without a word.
    response.once('close', () => connection.close('CLIENT_LEFT'));
    if (response.closed) connection.close('CLIENT_LEFT');
    return connection;
  } catch (error) {
    limiter.release(address);
    throw error;
  }
}
