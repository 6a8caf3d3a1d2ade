import { type Position } from '../broker/position.ts';
import { type Cursors } from './cursor.ts';

/** Where a subscription begins. */
export interface Start {
  /** Messages after this position are delivered. */
  after: Position;
  /** True when the caller's cursor is of no log that is kept, so that nobody can say what it missed. */
  positionLost: boolean;
}

/**
 * Begins after `since`, or at the head where there is none. A cursor beyond the head is lost as well: the log
 * was restored from an older copy, and what the cursor counted is not in it.
 * @throws BAD_USER_INPUT when `since` is no cursor.
 */
export function startAfter(
  cursors: Cursors,
  projectId: string,
  since: string | undefined,
  head: Position,
): Start {
  if (since === undefined) return { after: head, positionLost: false };
  const position = cursors.parse(projectId, since);
  const isOfThisLog = position?.epoch === head.epoch && position.sequence <= head.sequence;
  return isOfThisLog ? { after: position, positionLost: false } : { after: head, positionLost: true };
}
