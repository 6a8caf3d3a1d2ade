/** How this node delivers the messages of all nodes. Numbers of events count since the start of the process. */
export interface NodeReading {
  /** Whether the node may neither deliver nor accept anything at the moment. */
  isSuspended: boolean;
  /** Whether notifications of other nodes arrive. */
  isReceiving: boolean;
  /** The messages of the project that lags most which are in the log and not delivered here yet. */
  lag: number;
  /** Messages of other nodes that arrived with a notification, and the batches that they were in. */
  receivedBatches: number;
  receivedMessages: number;
  /** Reads of the log for messages that did not arrive, and the messages that they found. */
  repairs: number;
  repairedMessages: number;
  /** Ephemeral messages of other nodes that were dropped, because too many waited for their delivery. */
  ephemeralDropped: number;
  /** Transactions that notify; each carries everything that waited. */
  notificationsSent: number;
  /** Payloads that the node did not send: too large, or without a connection for too long. */
  notificationsDropped: number;
  /** Transactions of other nodes that did not arrive, and reconnects, after which that is unknown. */
  notificationsLost: number;
  /** Notifications that no node of this version sends. */
  notificationsIgnored: number;
  /** Statements that wait for a connection of the pool. */
  waitingStatements: number;
}
