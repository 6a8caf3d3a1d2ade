/**
 * A position in a project's log. Positions are comparable only within one epoch: a log that is lost and recreated gets a
 * new epoch.
 */
export interface Position {
  readonly epoch: number;
  /** The sequence number of a message; 0 is the position before the first message. */
  readonly sequence: number;
}
