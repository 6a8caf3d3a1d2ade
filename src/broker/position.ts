/**
 * A position in a project's log. Each process that publishes begins a new epoch, so a position from a log that an older
 * copy has replaced is recognized: see `Log.holds`.
 */
export interface Position {
  readonly epoch: number;
  /** The sequence number of a message; 0 is the position before the first message. */
  readonly sequence: number;
}
