import { useMemo } from 'react';
import { type ChannelMember } from '@signalbox/client';
import { useSignalbox } from './provider.ts';
import { useSnapshot } from './use-channel.ts';

/** Who is present in a channel. */
export interface PresenceHook {
  readonly members: readonly ChannelMember[];
  /** Sets the presence state of this connection; it is set again after each reconnect. */
  readonly set: (state: unknown) => void;
}

/** The members of a channel, and a function that sets the presence state of this connection. */
export function usePresence(id: string): PresenceHook {
  const channel = useSignalbox().channel(id);
  const { members } = useSnapshot(channel, 1);
  return useMemo(() => ({ members, set: channel.presence.set }), [members, channel]);
}
