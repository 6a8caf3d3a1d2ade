/** A client of the server under test: a subscriber, or a publisher if it has no operations. */
export interface SubscriberSpec {
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  readonly operations: readonly Operation[];
}

export interface Operation {
  readonly id: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What is published: `n` counts from 1 and is the last thing in the frame, `pad` makes the frame as long as it shall be. */
export interface Publication {
  readonly n: number;
  readonly pad: string;
  readonly channel: string;
}

/** How one kind of server is spoken to, in texts over a WebSocket. */
export interface Dialect {
  readonly subprotocol: string | undefined;
  /** The first message of a subscriber; undefined when the server sends first. */
  firstMessage(spec: SubscriberSpec): string | undefined;
  /** The answer to a message during the handshake; `isIn` is true once every subscribe message was sent. */
  reply(text: string, spec: SubscriberSpec): { says: readonly string[]; isIn: boolean };
  /** Whether a subscriber is ready as soon as the socket is open. */
  readonly isInAtOnce: boolean;
  publish(publication: Publication): string;
  /** Whether this answer to a publish says that it failed. */
  isRefusal(answer: string): boolean;
  /** What to answer to a short text that is no message, so that the server keeps the connection. */
  keepAlive(text: string): string | undefined;
}
