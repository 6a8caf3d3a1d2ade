import { type PresenceChange } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { openChannelStream } from '../connections/channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream } from '../connections/stream.ts';
import { type Watch } from '../connections/watch.ts';
import { runOf } from '../run.ts';

/**
 * Joins, leaves and updates in a channel, from now on.
 * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may see who is there; ends when it no longer may.
 */
export function openPresence(
  parts: { watch: Watch; access: Access },
  connection: Connection,
  channelId: string,
): Promise<EventStream<PresenceChange>> {
  return openChannelStream<PresenceChange>(parts, connection, 'PRESENCE', channelId, () => {
    let watching: Disposable | undefined;
    return {
      start(sink) {
        watching = parts.watch.on('presence', connection.projectId, channelId, (signal) => {
          connection.review();
          if (signal.kind === 'PRESENCE_CHANGED') sink.push(runOf([signal.change]));
        });
      },
      stop: () => watching?.[Symbol.dispose](),
    };
  });
}
