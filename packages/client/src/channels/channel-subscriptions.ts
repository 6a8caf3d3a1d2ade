import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { type SignalboxError } from '../errors.ts';
import { type ChannelInfo, type PresenceChange } from '../inbox/events.ts';
import { type Message } from '../message.ts';

/** Receives the results of the subscriptions to one channel, by their names. */
export interface ChannelSink {
  messages(message: Message): void;
  presence(change: PresenceChange): void;
  channelState(channel: ChannelInfo): void;
  /** A subscription ended: refused, no longer allowed, completed, or POSITION_LOST. */
  onError(error: SignalboxError, name: Name): void;
}

type Name = (typeof NAMES)[number];
const NAMES = ['messages', 'presence', 'channelState'] as const;

/**
 * Subscribes to a channel that the token is not a member of, so that the inbox does not deliver it: an UNPROTECTED or
 * PUBLIC channel, or one that a role opens. Presence is optional, because a caller may lack the right to see it.
 */
export function subscribeToChannel(
  socket: Socket,
  channel: string,
  since: string | undefined,
  sink: ChannelSink,
): () => void {
  const stops = NAMES.map((name) =>
    socket.follow(
      DOCUMENTS[name],
      { channel, since: name === 'messages' ? since : undefined },
      (data) => sink[name]((data as Record<Name, never>)[name]),
      (error) => sink.onError(error, name),
    ),
  );
  return () => stops.forEach((stop) => stop());
}
