/**
 * A place in a project's log. Sequences of one epoch are comparable; a log that was lost and begun anew has
 * another epoch, and positions of the two are not.
 */
export interface Position {
  readonly epoch: number;
  /** 0 before the first message. */
  readonly sequence: number;
}
