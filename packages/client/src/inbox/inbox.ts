import { type Link } from '../connection/link.ts';
import { DOCUMENTS } from '../documents.ts';
import { errorOf, type SignalboxError } from '../errors.ts';
import { type InboxEvent } from './events.ts';
import { type Position } from './position.ts';

export interface InboxOptions {
  readonly position: Position;
  /** Handles an event. The cursor of a message is stored afterwards. */
  handle(event: InboxEvent): void;
  /** The service refused or ended the stream. */
  onError(error: SignalboxError): void;
}

/** Subscribes to everything that the connection may receive, since the position of the client. */
export function followInbox(link: Link, options: InboxOptions): void {
  const { position } = options;
  function fail(error: SignalboxError): void {
    if (error.code === 'BAD_USER_INPUT' && position.cursor !== undefined) {
      // A cursor of another format, for example from an old storage.
      position.reset();
      followInbox(link, options);
    } else if (error.code !== 'CONNECTION_LOST') options.onError(error);
  }
  const since = position.cursor;
  link.subscribe(DOCUMENTS.events, since === undefined ? {} : { since }, {
    next({ data, errors }) {
      if (errors) return fail(errorOf(errors));
      const { events: event } = data as { events: InboxEvent };
      options.handle(event);
      if (event.__typename === 'Connected') position.advance(event.cursor);
      if (event.__typename === 'ChannelMessage' || event.__typename === 'DirectMessage') {
        if (event.message.cursor !== null) position.advance(event.message.cursor);
      }
    },
    error: fail,
    complete: () => undefined,
  });
}
