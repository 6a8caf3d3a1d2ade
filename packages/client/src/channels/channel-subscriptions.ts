import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { type SignalboxError } from '../errors.ts';
import { type ChannelInfo, type PresenceChange } from '../inbox/events.ts';
import { type Message } from '../message.ts';

/** Receives the results of the subscriptions to one channel. */
export interface ChannelSink {
  onMessage(message: Message): void;
  onPresence(change: PresenceChange): void;
  onChannel(channel: ChannelInfo): void;
  /** The messages ended: refused, no longer allowed, completed, or POSITION_LOST. */
  onError(error: SignalboxError): void;
}

/**
 * Subscribes to a channel that the token is not a member of, so that the inbox does not deliver it: an UNPROTECTED or
 * PUBLIC channel, or one that a role opens. Presence is optional, because a caller may lack the right to see it.
 */
export function subscribeToChannel(
  socket: Socket,
  channel: string,
  since: string | null,
  sink: ChannelSink,
): () => void {
  const ignore = () => undefined;
  const stops = [
    socket.follow(
      DOCUMENTS.messages,
      { channel, ...(since !== null && { since }) },
      (data) => sink.onMessage((data as { messages: Message }).messages),
      sink.onError,
    ),
    socket.follow(
      DOCUMENTS.presence,
      { channel },
      (data) => sink.onPresence((data as { presence: PresenceChange }).presence),
      ignore,
    ),
    socket.follow(
      DOCUMENTS.channelState,
      { channel },
      (data) => sink.onChannel((data as { channelState: ChannelInfo }).channelState),
      ignore,
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
