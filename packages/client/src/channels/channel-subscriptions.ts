import { type Socket, type Result, type Sink } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { errorOf, type SignalboxError } from '../errors.ts';
import { type ChannelInfo, type PresenceChange } from '../inbox/events.ts';
import { type Message } from '../message.ts';

/** Receives the results of the subscriptions to one channel. */
export interface ChannelSink {
  onMessage(message: Message): void;
  onPresence(change: PresenceChange): void;
  onChannel(channel: ChannelInfo): void;
  /** The messages ended: refused, no longer allowed, or POSITION_LOST. */
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
  const stops = [
    socket.subscribe(
      DOCUMENTS.messages,
      { channel, ...(since !== null && { since }) },
      sinkOf(({ messages }) => sink.onMessage(messages as Message), sink.onError),
    ),
    socket.subscribe(
      DOCUMENTS.presence,
      { channel },
      sinkOf(
        ({ presence }) => sink.onPresence(presence as PresenceChange),
        () => undefined,
      ),
    ),
    socket.subscribe(
      DOCUMENTS.channelState,
      { channel },
      sinkOf(
        ({ channelState }) => sink.onChannel(channelState as ChannelInfo),
        () => undefined,
      ),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function sinkOf(next: (data: Record<string, unknown>) => void, fail: (error: SignalboxError) => void): Sink {
  return {
    next({ data, errors }: Result) {
      if (errors) fail(errorOf(errors));
      else next(data as Record<string, unknown>);
    },
    error: fail,
    complete: () => undefined,
  };
}
