import { type Access } from '../channels/access.ts';
import { type Channel } from '../channels/channel.ts';
import { openChannelStream } from './channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream, type Sink } from './event-stream.ts';
import { type SignalRouter } from './signal-router.ts';
import { internBatch } from '../batch.ts';

/**
 * The channel as it is now, then after each change of its state.
 * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may hear it; ends when it no longer may.
 */
export function openChannelState(
  parts: { signalRouter: SignalRouter; access: Access },
  connection: Connection,
  channelId: string,
): Promise<EventStream<Channel>> {
  return openChannelStream<Channel>(parts, connection, 'SUBSCRIBE', channelId, () => {
    let sink: Sink<Channel> | undefined;
    let shown = 0;
    const show = (channel: Channel) => {
      // What changes before there is a sink is what is shown first.
      if (!sink || channel.version <= shown) return;
      shown = channel.version;
      sink.deliver(internBatch([channel]));
    };
    return {
      start(given, { channel }) {
        sink = given;
        show(channel);
      },
      changed: ({ channel }) => show(channel),
      stop: () => (sink = undefined),
    };
  });
}
