import { Socket } from 'node:net';
import { connectionError, connectionOptions, LimitedClient } from './postgres-connection.ts';

/** A connection to PostgreSQL for notifications, outside of the pool. */
export interface NotifySession {
  /**
   * Executes a statement.
   * @throws an error when there is no answer in time, or the connection is lost
   */
  run(sql: string, params?: readonly unknown[]): Promise<void>;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  /** Ends the connection at once, even when nothing answers any more. */
  destroy(): void;
}

/** Opens a session. `onNotification` receives the payloads of the channels that the session listens to. */
export type OpenNotifySession = (onNotification?: (payload: string) => void) => Promise<NotifySession>;

/** The longest wait for an answer, in milliseconds: a connection without one is taken for dead. Sending takes longer. */
const LISTENING_TIMEOUT_MS = 1500;
const SENDING_TIMEOUT_MS = 4000;

/** @throws UNAVAILABLE, with a sentence for the operator, when the database cannot be used */
export const createNotifySessions =
  (url: string, nodeId: string): OpenNotifySession =>
  async (onNotification) => {
    const socket = new Socket();
    const client = new LimitedClient({
      ...connectionOptions(url, nodeId),
      // The driver closes a connection with a message that a dead network never delivers; the socket can be destroyed.
      stream: () => socket,
      query_timeout: onNotification ? LISTENING_TIMEOUT_MS : SENDING_TIMEOUT_MS,
    });
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    client.on('error', () => socket.destroy());
    if (onNotification) client.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await client.connect();
    } catch (error) {
      socket.destroy();
      throw connectionError(url, error);
    }
    return {
      async run(sql, params = []) {
        await client.query(sql, [...params]);
      },
      ended,
      destroy: () => void socket.destroy(),
    };
  };
