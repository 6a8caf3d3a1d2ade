import { type PresenceChange } from '../broker/signal.ts';
import { openChannelStream, type ChannelStreamDeps } from './channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream } from './event-stream.ts';
import { internBatch } from '../batch.ts';

/**
 * The joins, leaves and updates in the presence of a channel, starting with the next change. The stream ends with the
 * authorization error when the caller may no longer take the action PRESENCE.
 * @throws FORBIDDEN, UNAUTHENTICATED or NOT_FOUND unless the caller may take the action PRESENCE in the channel
 */
export function openPresence(
  deps: ChannelStreamDeps,
  connection: Connection,
  channelId: string,
): Promise<EventStream<PresenceChange>> {
  return openChannelStream<PresenceChange>(deps, connection, 'PRESENCE', channelId, () => {
    let routing: Disposable | undefined;
    return {
      start(sink) {
        routing = deps.signalRouter.on('presence', connection, channelId, {
          onSignal(signal) {
            connection.applyDue();
            if (signal.kind === 'PRESENCE_CHANGED') sink.deliver(internBatch([signal.change]));
          },
        });
      },
      stop: () => routing?.[Symbol.dispose](),
    };
  });
}
