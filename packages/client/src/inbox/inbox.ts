import { backoff } from '../connection/backoff.ts';
import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { errorOf, SignalboxError } from '../errors.ts';
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

const COMPLETED = new SignalboxError('UNAVAILABLE', 'The service completed the events.', true);

/**
 * Subscribes to everything that the connection may receive, since the position of the client, again with backoff when the
 * service has no capacity at the moment. Returns a function that stops it; it stops when the socket is lost, too.
 */
export function followInbox(socket: Socket, options: InboxOptions): () => void {
  const { runtime, position } = options;
  let failures = 0;
  let timer: unknown;
  let stop: () => void = () => undefined;

  function start(): void {
    let isOver = false;
    function fail(error: SignalboxError): void {
      if (isOver || error.code === 'CONNECTION_LOST') return;
      isOver = true;
      if (error.code === 'BAD_USER_INPUT' && position.cursor !== undefined) {
        // A cursor of another format, for example from an old storage.
        position.reset();
        start();
      } else if (error.retryable) timer = runtime.setTimer(start, backoff(runtime, failures++));
      else options.onError(error);
    }
    const since = position.cursor;
    stop = socket.subscribe(DOCUMENTS.events, since === undefined ? {} : { since }, {
      next({ data, errors }) {
        if (errors) return fail(errorOf(errors));
        failures = 0;
        const { events: event } = data as { events: InboxEvent };
        options.handle(event);
        if (event.__typename === 'Connected') position.advance(event.cursor);
        if (event.__typename === 'ChannelMessage' || event.__typename === 'DirectMessage') {
          if (event.message.cursor !== null) position.advance(event.message.cursor);
        }
      },
      error: fail,
      complete: () => fail(COMPLETED),
    });
  }

  start();
  return () => {
    runtime.clearTimer(timer);
    stop();
  };
}
