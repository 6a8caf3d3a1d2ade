import { type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Connection } from '../connections/connection.ts';
import { EventStream, type Sink } from './event-stream.ts';
import { type SignalRouter } from './signal-router.ts';
import { internBatch, type Batch } from '../batch.ts';
import { addToBacklog } from './backlog.ts';
import { type Cursors } from '../messages/cursor.ts';
import { directAddressesOf, directMessagesRefused, positionLost } from '../messages/visible-range.ts';
import { sinceOf } from './since-of.ts';
import { LogSubscriber, type LogSubscriberDeps } from './log-subscriber.ts';
import { resolveStart } from '../messages/start-position.ts';

export interface DirectMessagesDeps extends LogSubscriberDeps {
  signalRouter: SignalRouter;
  cursors: Cursors;
}

/**
 * The direct messages to the token, its identity and this connection, starting after `since`; see `sinceOf`.
 * @throws UNAUTHENTICATED when the caller is not a token
 * @throws POSITION_LOST when messages after `since` are no longer retained
 * @throws BAD_USER_INPUT when `since` is not a cursor
 */
export async function openDirectMessages(
  deps: DirectMessagesDeps,
  connection: Connection,
  { since }: { since?: string | undefined },
): Promise<EventStream<Message>> {
  const { broker, signalRouter, cursors } = deps;
  const { projectId, caller } = connection;
  if (caller.kind !== 'TOKEN') throw directMessagesRefused(caller);
  const addresses = directAddressesOf(caller);
  const logSubscriber = new LogSubscriber(deps, connection);
  let startPosition: Position;
  for (const address of addresses) logSubscriber.subscribe(address, 0);
  try {
    const { after, head, isLost } = await resolveStart(
      { broker, cursors },
      projectId,
      sinceOf(connection, since),
    );
    const trimmed = await Promise.all(addresses.map((address) => broker.trimmedThrough(projectId, address)));
    if (isLost || trimmed.some((sequence) => sequence > after.sequence)) throw positionLost();
    logSubscriber.begin({ after, head });
    startPosition = after;
  } catch (error) {
    logSubscriber.stop();
    throw error;
  }
  let sink: Sink<Message> | undefined;
  /** Messages to the connection that arrive before the stream has a sink. */
  let backlog: Batch<Message> = [];
  const routing = signalRouter.on('connection', connection, connection.id, {
    onSignal(signal) {
      connection.applyDue();
      if (signal.kind !== 'CONNECTION_MESSAGE') return;
      if (sink) sink.deliver(internBatch([signal.message]));
      else backlog = addToBacklog(backlog, [signal.message]);
    },
  });
  const stream: EventStream<Message> = new EventStream(connection, {
    start(newSink) {
      sink = newSink;
      if (backlog.length > 0) sink.deliver(internBatch(backlog));
      backlog = [];
      logSubscriber.start({
        deliver: (batch) => newSink.deliver(batch),
        whenWritable: () => newSink.whenWritable(),
        onLost: () => stream.end(positionLost()),
        end: (error) => stream.end(error),
      });
    },
    reauthorize: () => undefined,
    progress: () => logSubscriber.progress(),
    span: (address) => logSubscriber.span(address),
    stop() {
      logSubscriber.stop();
      routing[Symbol.dispose]();
    },
  });
  stream.startPosition = startPosition;
  if (connection.closed !== undefined) stream.end();
  return stream;
}
