import { type ReactNode } from 'react';
import { expectTypeOf, test } from 'vitest';
import { type ChannelMember, type Message, type SignalboxClient, type Status } from '@signalbox/client';
import {
  SignalboxProvider,
  useChannel,
  useChannelState,
  useDirectMessages,
  usePresence,
  useSignalbox,
  useStatus,
} from '@signalbox/react';

/** `npm run typecheck` is what fails here: no hook is called. */
interface Events {
  message: { text: string };
  reaction: { emoji: string };
}

test('useChannel has the messages, the publish function and the options of its events', () => {
  const lobby = () => useChannel<Events>('lobby', { history: 30 });
  type Lobby = ReturnType<typeof lobby>;
  expectTypeOf<Lobby['messages'][number]['event']>().toEqualTypeOf<'message' | 'reaction'>();
  expectTypeOf<Lobby['messages'][number]['state']>().toEqualTypeOf<
    'queued' | 'sending' | 'failed' | 'published'
  >();
  expectTypeOf<Lobby['members']>().toEqualTypeOf<readonly ChannelMember[]>();
  expectTypeOf<Lobby['startTyping']>().toEqualTypeOf<() => void>();
  expectTypeOf<Lobby['loadOlder']>().returns.resolves.toBeVoid();
  expectTypeOf<Lobby['publish']>().toBeCallableWith('message', { text: 'hello' });
  // @ts-expect-error the data of another event
  expectTypeOf(() => lobby().publish('reaction', { text: 'hello' })).toBeFunction();
  // @ts-expect-error there is no such option
  expectTypeOf(() => useChannel<Events>('lobby', { limit: 30 })).toBeFunction();
});

test('the other hooks return the state, members, direct messages, status and client', () => {
  expectTypeOf(useChannelState<{ topic: string }>).returns.toEqualTypeOf<{ topic: string } | undefined>();
  expectTypeOf(usePresence).returns.toHaveProperty('members').toEqualTypeOf<readonly ChannelMember[]>();
  expectTypeOf(useDirectMessages<Events, 'message'>).returns.toEqualTypeOf<
    readonly Message<{ text: string }, 'message'>[]
  >();
  expectTypeOf(useStatus).returns.toEqualTypeOf<Status>();
  expectTypeOf(useSignalbox<Events>).returns.toEqualTypeOf<SignalboxClient<Events>>();
  expectTypeOf(SignalboxProvider<Events>).returns.toEqualTypeOf<ReactNode>();
  // @ts-expect-error a provider needs a client
  expectTypeOf(() => SignalboxProvider<Events>({})).toBeFunction();
});
