import { type Address, type Message } from '../broker/message.ts';
import { type Connection } from '../connections/connection.ts';
import { EventStream, type Sink } from '../connections/stream.ts';
import { SignalboxError } from '../errors.ts';
import { type Caller } from '../tokens/caller.ts';
import { runOf } from '../run.ts';
import { positionLostError, type StreamParts } from './channel-messages.ts';
import { Feed } from './feed.ts';
import { startAfter } from './resume.ts';

/** Where direct messages for this caller wait in the log. */
export function directAddresses(caller: Caller): Address[] {
  if (caller.kind !== 'TOKEN') return [];
  const { id, identity } = caller.token;
  return identity === null ? [`token:${id}`] : [`token:${id}`, `identity:${identity}`];
}

/**
 * What is said directly to the token, its identity or this connection, after `since` or from now on.
 * @throws UNAUTHENTICATED without a token; POSITION_LOST when not all since `since` is kept; BAD_USER_INPUT.
 */
export async function openDirectMessages(
  parts: StreamParts,
  connection: Connection,
  { since }: { since?: string | undefined },
): Promise<EventStream<Message>> {
  const { broker, watch, cursors } = parts;
  const { projectId, caller } = connection;
  if (caller.kind !== 'TOKEN') throw new SignalboxError('UNAUTHENTICATED', 'Direct messages are for tokens.');
  const addresses = directAddresses(caller);
  const feed = new Feed(parts, connection);
  for (const address of addresses) feed.hear(address, 0);
  try {
    const head = await broker.head(projectId);
    const { after, positionLost } = startAfter(cursors, projectId, since, head);
    const trimmed = await Promise.all(addresses.map((address) => broker.trimmedThrough(projectId, address)));
    if (positionLost || trimmed.some((through) => through > after.sequence)) throw positionLostError();
    feed.begin({ after, head });
  } catch (error) {
    feed.stop();
    throw error;
  }
  let sink: Sink<Message> | undefined;
  const signals = watch.on('connection', projectId, connection.id, (signal) => {
    connection.review();
    if (signal.kind === 'CONNECTION_SIGNALLED') sink?.push(runOf([signal.message]));
  });
  const stream: EventStream<Message> = new EventStream(connection, {
    start(given) {
      sink = given;
      feed.start({
        take: (run) => given.push(run),
        lost: () => stream.end(positionLostError()),
        room: () => given.room(),
        failed: (error) => stream.end(error),
        replayed: parts.replayed,
      });
    },
    judge: () => undefined,
    stop() {
      feed.stop();
      signals[Symbol.dispose]();
    },
  });
  if (connection.closed !== undefined) stream.end();
  return stream;
}
