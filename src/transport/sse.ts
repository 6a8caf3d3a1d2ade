import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Connection } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type ConnectionLimiter } from './connection-limiter.ts';
import { type Metrics } from './metrics.ts';
import { type UnacknowledgedBytes } from './unacknowledged.ts';

/**
 * Opens the connection of an HTTP request whose response becomes an event stream. The connection closes with the response.
 * @throws RATE_LIMITED, UNAVAILABLE, and everything that `Connections.open` throws
 */
export async function openSse(
  {
    domain,
    limiter,
    metrics,
    unacknowledged,
  }: {
    domain: Domain;
    limiter: ConnectionLimiter;
    metrics: Metrics;
    unacknowledged: UnacknowledgedBytes;
  },
  caller: Caller,
  address: string,
  response: ServerResponse,
): Promise<Connection> {
  const slot = limiter.acquire(address, { isApiKey: caller.kind === 'API_KEY' });
  try {
    const connection = await domain.connections.open(() => domain.authenticate.refresh(caller), 'SSE');
    metrics.connected('sse');
    connection.onClose((reason) => {
      slot.release();
      metrics.disconnected('sse');
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer(connection.projectId);
    });
    const { socket } = response;
    const unwatch =
      socket &&
      unacknowledged.watch(socket, () => {
        connection.close('CONNECTION_LOST');
        socket.destroy();
      });
    response.once('close', () => {
      unwatch?.();
      connection.close('CLIENT_LEFT');
    });
    if (response.closed) connection.close('CLIENT_LEFT');
    return connection;
  } catch (error) {
    slot.release();
    throw error;
  }
}

/** The refusal of a subscription whose client does not accept an event stream. Undefined if it does. */
export function eventStreamRefusal({
  headers: { accept = '*/*' },
}: Pick<IncomingMessage, 'headers'>): SignalboxError | undefined {
  if (/(^|,)\s*(text\/event-stream|text\/\*|\*\/\*)\s*(;|,|$)/i.test(accept)) return undefined;
  return new SignalboxError(
    'BAD_USER_INPUT',
    'The answer to a subscription is an event stream. Send “Accept: text/event-stream”, or subscribe over a WebSocket.',
  );
}

/** The cursor of the last event that an EventSource received before it reconnected. */
export function lastEventIdOf({ headers }: IncomingMessage): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/**
 * The ticket in the URL of an EventSource.
 * @throws BAD_USER_INPUT when the request is not one of an EventSource, or carries a credential as well
 */
export function ticketOf({ method, headers, url = '/' }: IncomingMessage): string | undefined {
  const ticket = new URL(url, 'http://localhost').searchParams.get('ticket');
  if (ticket === null) return undefined;
  if (method !== 'GET' || !headers.accept?.includes('text/event-stream'))
    throw new SignalboxError('BAD_USER_INPUT', 'A ticket is for a GET request that accepts an event stream.');
  if (headers.authorization !== undefined)
    throw new SignalboxError('BAD_USER_INPUT', 'Send either a ticket or an Authorization header, not both.');
  return ticket;
}
