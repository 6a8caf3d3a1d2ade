export { SignalboxProvider, useSignalbox, type SignalboxProviderProps } from './provider.ts';
export { useChannel, useChannelState, type ChannelHook, type ChannelHookOptions } from './use-channel.ts';
export { useDirectMessages } from './use-direct-messages.ts';
export { usePresence, type PresenceHook } from './use-presence.ts';
export { useStatus } from './use-status.ts';
