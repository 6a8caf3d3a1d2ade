import { type Position } from '../broker/position.ts';
import { type Cursors } from './cursor.ts';

/** Where a subscription starts in the log. */
export interface StartPosition {
  /** Messages after this position are delivered. */
  after: Position;
  /** True when the cursor does not belong to the current log, so the missed messages are unknown. */
  isLost: boolean;
}

/**
 * Resolves the start of a subscription: after the cursor `since`, or at the head of the log without one. A cursor beyond
 * the head is lost too, because the log was restored from an older copy that lacks the messages counted by the cursor.
 * @throws BAD_USER_INPUT when `since` is not a cursor
 */
export function resolveStart(
  cursors: Cursors,
  projectId: string,
  since: string | undefined,
  head: Position,
): StartPosition {
  if (since === undefined) return { after: head, isLost: false };
  const position = cursors.parse(projectId, since);
  const isInThisLog = position?.epoch === head.epoch && position.sequence <= head.sequence;
  return isInThisLog ? { after: position, isLost: false } : { after: head, isLost: true };
}
