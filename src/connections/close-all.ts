import { inSlices } from '../slices.ts';
import { errorOf, type CloseReason } from './close-reason.ts';
import { type Connection } from './connection.ts';

/**
 * Closes many connections, in slices. Nothing is delivered to any of them from the call on. Every client is notified before
 * the first connection is cleaned up, so that the cleanup of some does not delay the notification of others.
 * @returns undefined if all are closed, otherwise a promise that resolves then
 */
export function closeAll(
  connections: Iterable<Connection>,
  reason: CloseReason,
  onFault: (error: unknown) => void,
): Promise<void> | undefined {
  const all = [...connections];
  const error = errorOf(reason);
  const closing: Connection[] = [];
  for (const connection of all) connection.defer(() => connection.close(reason));
  const beginClose = (connection: Connection) => {
    if (!connection.beginClose(reason, null)) return;
    closing.push(connection);
    connection.defer(() => connection.finishClose(reason, error));
  };
  const finishAll = () => inSlices(closing, (connection) => connection.applyDue(), onFault);
  const begun = inSlices(all, beginClose, onFault);
  return begun ? begun.then(finishAll) : finishAll();
}
