import { messageOf, SignalboxError } from './errors.ts';

/** Who published a message. */
export interface Sender {
  readonly kind: 'API_KEY' | 'TOKEN';
  readonly token: string | null;
  readonly identity: string | null;
  readonly connectionData: string | null;
}

/** A message, as the service delivers it. */
export interface Message<Data = unknown, Event extends string = string> {
  readonly id: string;
  /** The position in the log; null for messages that are not kept. */
  readonly cursor: string | null;
  /** The number of the message in its channel or at its direct address, from 1; null for messages that are not kept. */
  readonly ordinal: number | null;
  /** Null for direct messages. */
  readonly channel: string | null;
  readonly event: Event;
  readonly data: Data;
  /** RFC 3339. */
  readonly publishedAt: string;
  readonly sender: Sender;
  /** The idempotency key, for messages that this token published; null for those of others. */
  readonly idempotencyKey: string | null;
}

/** The events of an application and the type of their data, for example `{ message: { text: string } }`. */
export type EventMap = object;

/** The name of an event of the application. */
export type EventName<Events extends EventMap> = Extract<keyof Events, string>;

/** Any message of an application, as a union over its events. */
export type AnyMessage<Events extends EventMap> = {
  [Event in EventName<Events>]: Message<Events[Event], Event>;
}[EventName<Events>];

/** The messages that `on(event)` delivers: those of one event, or of all events for `*`. */
export type MessageOf<Events extends EventMap, Event extends EventName<Events> | '*'> = Event extends '*'
  ? AnyMessage<Events>
  : Event extends EventName<Events>
    ? Message<Events[Event], Event>
    : never;

/** Calls listeners by the event name of messages. */
export interface MessageListeners<Events extends EventMap> {
  readonly size: number;
  on<Event extends EventName<Events> | '*'>(
    event: Event,
    listener: (message: MessageOf<Events, Event>) => void,
  ): () => void;
}

/** A listener for the messages with one event name, or for all for `*`. */
export const forEvent = (event: string, listener: (message: Message) => void) => (message: Message) => {
  if (event === '*' || message.event === event) listener(message);
};

/** The data of a message as it is published, so that a later change of the object has no effect. @throws BAD_USER_INPUT */
export function copyOf(data: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(data ?? null));
  } catch (error) {
    throw new SignalboxError('BAD_USER_INPUT', `The data is not JSON: ${messageOf(error)}`);
  }
}
