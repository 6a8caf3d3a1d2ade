import { type Broker } from '../broker/broker.ts';
import { type Position } from '../broker/position.ts';
import { type Cursors } from './cursor.ts';
import { positionLost } from './visible-range.ts';

/** The position at which a subscription or a page begins. */
export interface StartPosition {
  /** Messages after this position are delivered. */
  after: Position;
  /** The head of the log, read before the cursor is checked. */
  head: Position;
  /** True when the log does not hold the position of the cursor, so the missed messages are unknown. */
  isLost: boolean;
  /** Whether everything after the given cursor follows; false without a cursor, and when its position is lost. */
  isResumed: boolean;
}

/**
 * Resolves the start of a subscription: after the cursor `since`, or at the head of the log without one. The position
 * of a cursor is lost when a restore or a loss of power removed it from the log: see `Log.holds`.
 * @param field the argument that an error names. Default: `since`
 * @throws BAD_USER_INPUT when `since` is not a cursor
 */
export async function resolveStart(
  { broker, cursors }: { broker: Broker; cursors: Cursors },
  projectId: string,
  since: string | undefined,
  field = 'since',
): Promise<StartPosition> {
  const head = await broker.head(projectId);
  if (since === undefined) return { after: head, head, isLost: false, isResumed: false };
  const position = cursors.parse(projectId, since, field);
  const isHeld = position !== undefined && (await broker.holds(projectId, position));
  return isHeld
    ? { after: position, head, isLost: false, isResumed: true }
    : { after: head, head, isLost: true, isResumed: false };
}

/**
 * The sequence number of a cursor.
 * @param field the argument that an error names
 * @throws POSITION_LOST when the log does not hold its position, BAD_USER_INPUT when it is not a cursor
 */
export async function sequenceOfCursor(
  deps: { broker: Broker; cursors: Cursors },
  projectId: string,
  cursor: string,
  field: string,
): Promise<number> {
  const { after, isLost } = await resolveStart(deps, projectId, cursor, field);
  if (isLost) throw positionLost();
  return after.sequence;
}
