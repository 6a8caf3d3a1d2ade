import { type Channel } from './channels/channel.ts';
import { type Status } from './connection/status.ts';
import { type CredentialOption } from './credential/credential.ts';
import { type EventMap, type MessageListeners } from './message.ts';
import { type AbortSignalLike, type ClientStorage, type Runtime, type WebSocketClass } from './runtime.ts';

/** Options of `createClient`. */
export interface ClientOptions {
  /** The service: `http(s)://` or `ws(s)://`. Where there is no path, `/graphql` is appended. */
  readonly url: string;
  /** Where the credential comes from. Required, so that no client is anonymous by accident. */
  readonly credential: CredentialOption;
  /** The project of an anonymous caller, where the service has several. */
  readonly project?: string;
  /**
   * Keeps position, outbox and guest across page loads. Default: none. In pages, pass `() => sessionStorage`: one per tab. A
   * function is called at the first connect, because a server that renders has no storage, and a page may be forbidden to
   * read it. If it fails, nothing is kept. Tabs would overwrite what others have stored in a storage that they share, such as
   * `localStorage`: divide it by `divideBetweenTabs` of `@signalbox/client/tabs`.
   */
  readonly storage?: ClientStorage | (() => ClientStorage);
  /** The prefix of the keys in `storage`: one per user of the device. Default: `signalbox`. */
  readonly storageKey?: string;
  /**
   * The identity of the user, if the page knows it before it connects. Must be the identity of the credential. Messages that are queued
   * before the first connection belong to this identity: they are published only by a connection of it, also after a reload, and
   * fail with FORBIDDEN on any other. Without this option they belong to the login of the first connection; if the page is closed
   * before it, they fail on the next page.
   */
  readonly identity?: string;
  /** The largest number of messages that wait to be published. Default: 1000. Range: 1–100,000. */
  readonly outboxLimit?: number;
  /** The WebSocket class. Default: the one of the environment; Node before version 22 needs the one of `ws`; `shareBetweenTabs()` of `@signalbox/client/tabs`. */
  readonly webSocket?: WebSocketClass;
  /** Clock, randomness and environment, for tests and unusual platforms. */
  readonly runtime?: Partial<Runtime>;
}

/** Messages were missed that the service can no longer replay. Channels that are shown reload by themselves. */
export interface GapNotice {
  /** RETENTION, MEMBERSHIP or POSITION_LOST. */
  readonly reason: string;
  /** The channel; undefined: direct messages. */
  readonly channel: string | undefined;
}

/** The events of a client itself. */
export interface ClientEvents {
  readonly status: Status;
  readonly gap: GapNotice;
}

/** Who the client is, once it is connected. */
export interface ClientViewer {
  readonly connection: string;
  readonly token: string | null;
  readonly identity: string | null;
}

/** Options of `graphql`. */
export interface GraphqlOptions {
  /** How long to wait for a connection, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Gives up waiting, for the connection or for the answer. What was sent may take effect. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Receives the results of a subscription. Nothing is called after `error` or `complete`. */
export interface SubscriptionSink {
  next(data: unknown): void;
  error(error: Error): void;
  complete?(): void;
}

/** A client of Signalbox. It connects when something needs the connection. */
export interface SignalboxClient<Events extends EventMap> {
  /** The channel with this id: the same object as long as it is in use or the application refers to it. */
  channel(id: string): Channel<Events>;
  /** Messages that are published directly to this token, its identity or the connection. */
  readonly direct: MessageListeners<Events>;
  readonly status: Status;
  /** Undefined before the first connection. */
  readonly viewer: ClientViewer | undefined;
  on<Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void): () => void;
  /** Connects now; also after the client ended, when the user asks for it. */
  connect(): void;
  /**
   * Runs a query or mutation of the GraphQL API. Waits for the connection; is never sent twice.
   *
   * @throws SignalboxError with a code of the service, CONNECTION_LOST when the connection is lost before the answer, OFFLINE
   *   when there is no connection in time or 1000 calls wait for one, or ENDED; the reason of `signal` when it is aborted
   */
  graphql<Data = unknown>(document: string, variables?: object, options?: GraphqlOptions): Promise<Data>;
  /**
   * Starts a subscription of the GraphQL API and continues it after reconnects: if the document has a variable `$since`,
   * it becomes the cursor of the last result. Completes when the client is closed. Returns a function that stops it.
   */
  subscribe(document: string, variables: object, sink: SubscriptionSink): () => void;
  /** Ends the client: what is queued fails with ENDED. Resolves once nothing of it is left. */
  close(): Promise<void>;
}
