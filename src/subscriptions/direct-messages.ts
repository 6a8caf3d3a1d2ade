import { type Message } from '../broker/message.ts';
import { type Connection } from '../connections/connection.ts';
import { EventStream, type Sink } from './event-stream.ts';
import { SignalboxError } from '../errors.ts';
import { internBatch } from '../batch.ts';
import { directAddresses, positionLostError } from '../messages/readable.ts';
import { type StreamDeps } from './channel-messages.ts';
import { LogSubscriber } from './log-subscriber.ts';
import { startAfter } from '../messages/start-position.ts';

/**
 * What is said directly to the token, its identity or this connection, after `since` or from now on.
 * @throws UNAUTHENTICATED without a token; POSITION_LOST when not all since `since` is kept; BAD_USER_INPUT.
 */
export async function openDirectMessages(
  parts: StreamDeps,
  connection: Connection,
  { since }: { since?: string | undefined },
): Promise<EventStream<Message>> {
  const { broker, signalRouter, cursors } = parts;
  const { projectId, caller } = connection;
  if (caller.kind !== 'TOKEN') throw new SignalboxError('UNAUTHENTICATED', 'Direct messages are for tokens.');
  const addresses = directAddresses(caller);
  const feed = new LogSubscriber(parts, connection);
  for (const address of addresses) feed.subscribe(address, 0);
  try {
    const { after, head, positionLost } = await startAfter({ broker, cursors }, projectId, since);
    const trimmed = await Promise.all(addresses.map((address) => broker.trimmedThrough(projectId, address)));
    if (positionLost || trimmed.some((through) => through > after.sequence)) throw positionLostError();
    feed.begin({ after, head });
  } catch (error) {
    feed.stop();
    throw error;
  }
  let sink: Sink<Message> | undefined;
  const signals = signalRouter.on('connection', projectId, connection.id, (signal) => {
    connection.applyDue();
    if (signal.kind === 'CONNECTION_SIGNALLED') sink?.deliver(internBatch([signal.message]));
  });
  const stream: EventStream<Message> = new EventStream(connection, {
    start(given) {
      sink = given;
      feed.start({
        deliver: (run) => given.deliver(run),
        onLost: () => stream.end(positionLostError()),
        room: () => given.room(),
        onFailed: (error) => stream.end(error),
        onReplayed: parts.replayed,
      });
    },
    reauthorize: () => undefined,
    stop() {
      feed.stop();
      signals[Symbol.dispose]();
    },
  });
  if (connection.closed !== undefined) stream.end();
  return stream;
}
