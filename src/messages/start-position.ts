import { type Broker } from '../broker/broker.ts';
import { type Position } from '../broker/position.ts';
import { type Cursors } from './cursor.ts';

/** Where a subscription begins. */
export interface Start {
  /** Messages after this position are delivered. */
  after: Position;
  /** The head of the log, read before the cursor was checked. */
  head: Position;
  /** True when the log does not hold the position of the cursor, so the missed messages are unknown. */
  positionLost: boolean;
}

/**
 * Begins after `since`, or at the head of the log when `since` is absent. A cursor of a history that was undone, because an
 * older copy was restored or power was lost, is lost: see `Log.holds`.
 * @throws BAD_USER_INPUT when `since` is not a cursor
 */
export async function startAfter(
  { broker, cursors }: { broker: Broker; cursors: Cursors },
  projectId: string,
  since: string | undefined,
): Promise<Start> {
  const head = await broker.head(projectId);
  if (since === undefined) return { after: head, head, positionLost: false };
  const position = cursors.parse(projectId, since);
  const isHeld = position !== undefined && (await broker.holds(projectId, position));
  return isHeld ? { after: position, head, positionLost: false } : { after: head, head, positionLost: true };
}
