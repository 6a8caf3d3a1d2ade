import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { type Channel, type ChannelSnapshot, type EventMap } from '@signalbox/client';
import { useSignalbox } from './provider.ts';

/** What a server renders, and a page until it has connected. */
const EMPTY: ChannelSnapshot<never> = {
  messages: [],
  state: undefined,
  version: 0,
  members: [],
  typing: [],
  hasOlder: false,
  isLoading: false,
  error: undefined,
};

/** Options of `useChannel`. */
export interface ChannelHookOptions {
  /** The number of messages to begin with. Default: 50. Range: 1–100. */
  readonly history?: number;
}

/** What `useChannel` returns: the snapshot of the channel, and what a page does with it. */
export interface ChannelHook<Events extends EventMap> extends ChannelSnapshot<Events> {
  readonly channel: Channel<Events>;
  readonly publish: Channel<Events>['publish'];
  /** Call it at each key press. */
  readonly startTyping: () => void;
  readonly loadOlder: Channel<Events>['loadOlder'];
}

/** Subscribes the component to the snapshot of a channel. */
export function useSnapshot<Events extends EventMap>(
  channel: Channel<Events>,
  history: number,
): ChannelSnapshot<Events> {
  const subscribe = useCallback(
    (listener: () => void) => channel.subscribe(listener, { history }),
    [channel, history],
  );
  return useSyncExternalStore(
    subscribe,
    channel.getSnapshot,
    () => EMPTY as unknown as ChannelSnapshot<Events>,
  );
}

/**
 * Shows a channel: its messages with history and those on their way, members, typing and state.
 *
 * @example
 * const { messages, publish } = useChannel<{ message: { text: string } }>('lobby');
 */
export function useChannel<Events extends EventMap = Record<string, unknown>>(
  id: string,
  { history = 50 }: ChannelHookOptions = {},
): ChannelHook<Events> {
  const channel = useSignalbox<Events>().channel(id);
  const snapshot = useSnapshot(channel, history);
  return useMemo(() => {
    const { publish, typing, loadOlder } = channel;
    return { ...snapshot, channel, publish, startTyping: typing.start, loadOlder };
  }, [snapshot, channel]);
}

/** The state of a channel, of the type that the application gives it; undefined until it is known. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the application knows the type
export function useChannelState<State = unknown>(id: string): State | undefined {
  return useSnapshot(useSignalbox().channel(id), 1).state as State | undefined;
}
