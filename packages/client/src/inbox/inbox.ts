import { backoff } from '../connection/backoff.ts';
import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { type SignalboxError } from '../errors.ts';
import { type Runtime } from '../runtime.ts';
import { type InboxEvent } from './events.ts';
import { type Position } from './position.ts';

export interface InboxOptions {
  readonly runtime: Runtime;
  readonly position: Position;
  /** Handles an event. The cursor of a message is stored afterwards. */
  handle(event: InboxEvent): void;
  /** The service refused or ended the stream. */
  onError(error: SignalboxError): void;
}

/**
 * Subscribes to everything that the connection may receive, since the position of the client, again with backoff when the
 * service has no capacity at the moment. Returns a function that stops it; it stops when the socket is lost, too.
 */
export function followInbox(socket: Socket, options: InboxOptions): () => void {
  const { runtime, position } = options;
  let failures = 0;
  let wasReset = false;
  let timer: unknown;
  let stop: () => void = () => undefined;

  function onEnd(error: SignalboxError): void {
    if (error.code === 'CONNECTION_LOST') return;
    if (error.code === 'BAD_USER_INPUT' && position.cursor !== undefined) {
      // A cursor of another format, for example from an old storage.
      position.advance(undefined);
      wasReset = true;
      start();
    } else if (error.retryable) timer = runtime.setTimer(start, backoff(runtime, failures++));
    else options.onError(error);
  }

  function onEvent(event: InboxEvent): void {
    // A service that begins the stream and completes it at once is not called at full speed.
    if (event.__typename !== 'Connected') failures = 0;
    options.handle(event);
    if ('message' in event && event.message.cursor !== null) position.advance(event.message.cursor);
    if (event.__typename !== 'Connected') return;
    position.advance(event.cursor);
    const { channels } = event;
    if (wasReset)
      options.handle({ __typename: 'Gap', reason: 'POSITION_LOST', directMessages: true, channels });
    wasReset = false;
  }

  function start(): void {
    stop = socket.follow(
      DOCUMENTS.events,
      { since: position.cursor },
      (data) => onEvent((data as { events: InboxEvent }).events),
      onEnd,
    );
  }

  start();
  return () => {
    runtime.clearTimer(timer);
    stop();
  };
}
