import { type Connection } from '../connections/connection.ts';

/**
 * The cursor from which a subscription resumes: the one that it names, or else the one that the client named when it
 * connected. Undefined: start with the next message.
 *
 * Over SSE it is the reverse: an EventSource repeats its first request unchanged and adds the id of the last event that it
 * received as `Last-Event-ID`, so the header is newer than the argument.
 */
export function sinceOf(connection: Connection, argument: string | undefined): string | undefined {
  return connection.transport === 'SSE' ? (connection.since ?? argument) : (argument ?? connection.since);
}
