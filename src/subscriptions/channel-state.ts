import { type Channel } from '../channels/channel.ts';
import { openChannelStream, type ChannelStreamDeps } from './channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream, type Sink } from './event-stream.ts';
import { internBatch } from '../batch.ts';

/**
 * The channel with its current state, and again after each change of the state. The stream ends with the authorization
 * error when the caller may no longer SUBSCRIBE.
 * @throws FORBIDDEN, UNAUTHENTICATED or NOT_FOUND unless the caller may SUBSCRIBE to the channel
 */
export function openChannelState(
  deps: ChannelStreamDeps,
  connection: Connection,
  channelId: string,
): Promise<EventStream<Channel>> {
  return openChannelStream<Channel>(deps, connection, 'SUBSCRIBE', channelId, () => {
    let sink: Sink<Channel> | undefined;
    let deliveredVersion = 0;
    const deliver = (channel: Channel) => {
      // `start` delivers the current channel, which includes all earlier changes.
      if (!sink || channel.version <= deliveredVersion) return;
      deliveredVersion = channel.version;
      sink.deliver(internBatch([channel]));
    };
    return {
      start(newSink, { channel }) {
        sink = newSink;
        deliver(channel);
      },
      onStateUpdated: ({ channel }) => deliver(channel),
      stop: () => (sink = undefined),
    };
  });
}
