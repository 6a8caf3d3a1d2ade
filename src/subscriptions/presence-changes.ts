import { type PresenceChange } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { openChannelStream } from './channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream } from './event-stream.ts';
import { type SignalRouter } from './signal-router.ts';
import { internBatch } from '../batch.ts';

/**
 * Joins, leaves and updates in a channel, from now on.
 * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may see who is there; ends when it no longer may.
 */
export function openPresence(
  parts: { signalRouter: SignalRouter; access: Access },
  connection: Connection,
  channelId: string,
): Promise<EventStream<PresenceChange>> {
  return openChannelStream<PresenceChange>(parts, connection, 'PRESENCE', channelId, () => {
    let watching: Disposable | undefined;
    return {
      start(sink) {
        watching = parts.signalRouter.on('presence', connection.projectId, channelId, (signal) => {
          connection.applyDue();
          if (signal.kind === 'PRESENCE_CHANGED') sink.deliver(internBatch([signal.change]));
        });
      },
      stop: () => watching?.[Symbol.dispose](),
    };
  });
}
