/** Describes one client: a subscriber, or a publisher if it has no operations. */
export interface SubscriberSpec {
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  readonly operations: readonly Operation[];
}

export interface Operation {
  readonly id: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** A message to publish. `n` counts from 1 and is the last field of the frame; `pad` fills the frame to the wanted length. */
export interface Publication {
  readonly n: number;
  readonly pad: string;
  readonly channel: string;
}

/** The protocol of one kind of server, as text messages over a WebSocket. */
export interface Protocol {
  readonly subprotocol: string | undefined;
  /** The first message of a client. Undefined: the client waits for the server. */
  firstMessage(spec: SubscriberSpec): string | undefined;
  /** The replies of a connecting client to a message; `isReady` once it has sent everything that makes it a subscriber. */
  reply(text: string, spec: SubscriberSpec): { messages: readonly string[]; isReady: boolean };
  /** Whether a client is ready as soon as the socket is open. */
  readonly isReadyOnOpen: boolean;
  publish(publication: Publication): string;
  /** Whether the answer to a publish is an error. */
  isRefusal(answer: string): boolean;
  /** The answer to a ping of the server, which would otherwise close the connection; undefined for any other message. */
  keepAlive(text: string): string | undefined;
}
