/** Receives what another node sent: untrusted JSON, to be checked first. Must neither block nor throw. */
export type WireHandler = (payload: unknown, fromNode: string) => void;

/** Counts of a wire since its start. */
export interface WireCounts {
  /** Transactions sent; each carries everything that waited. */
  sent: number;
  /** Payloads delivered to a handler. */
  received: number;
  /** Payloads that were not sent: too large, or no connection for too long. */
  dropped: number;
  /** Transactions of other nodes that did not arrive, and reconnects, after which that is unknown. */
  lost: number;
  /** Notifications that are not of this protocol, and payloads without a handler. */
  ignored: number;
}

/**
 * Carries hints between the nodes of a cluster: fast, to every other node, in the order of sending, at most once, and
 * possibly not at all. A payload that must arrive is also in the database, which every node polls.
 */
export interface Wire extends AsyncDisposable {
  /**
   * Sends a payload to every other node. Never throws and does not wait: a payload that cannot be sent is dropped and
   * counted. Send only what has been committed.
   * @param kind a short name, under which `listen` receives the payload, for example `messages`
   * @param payload a JSON value of at most `MAX_PAYLOAD_BYTES` as JSON
   */
  send(kind: string, payload: unknown): void;
  /** Adds a handler for a kind of payload until the returned value is disposed. Own payloads are not received. */
  listen(kind: string, handler: WireHandler): Disposable;
  /** Calls the listener when payloads of other nodes may have been lost, until the returned value is disposed. */
  onGap(listener: () => void): Disposable;
  /** False while payloads of other nodes do not arrive, because the connection that receives them is lost. */
  readonly isReceiving: boolean;
  readonly counts: Readonly<WireCounts>;
}

/** The largest payload of a wire as JSON, in bytes of UTF-8: above the largest message. Larger ones are dropped. */
export const MAX_PAYLOAD_BYTES = 10 * 1024 * 1024;
