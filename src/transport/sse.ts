import { type ServerResponse } from 'node:http';
import { type Connection } from '../connections/connection.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type ConnectionLimiter } from './connection-limiter.ts';
import { type Metrics } from './metrics.ts';

/**
 * Opens the connection of an HTTP request whose response becomes an event stream. The connection closes with the response.
 * @throws RATE_LIMITED, UNAVAILABLE, and everything that `Connections.open` throws
 */
export async function openSse(
  { domain, limiter, metrics }: { domain: Domain; limiter: ConnectionLimiter; metrics: Metrics },
  caller: Caller,
  address: string,
  response: ServerResponse,
): Promise<Connection> {
  const place = limiter.acquire(address, { isApiKey: caller.kind === 'API_KEY' });
  try {
    const connection = await domain.connections.open(() => domain.authenticate.refresh(caller), 'SSE');
    metrics.connected('sse');
    connection.onClose((reason) => {
      place.release();
      metrics.disconnected('sse');
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer();
    });
    // Yoga silently drops a stream that it cannot send, for example to a client that accepts only JSON.
    response.once('close', () => connection.close('CLIENT_LEFT'));
    if (response.closed) connection.close('CLIENT_LEFT');
    return connection;
  } catch (error) {
    place.release();
    throw error;
  }
}
