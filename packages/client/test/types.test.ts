import { expectTypeOf, test } from 'vitest';
import {
  createClient,
  type SignalboxError,
  SignedOut,
  type ChannelMember,
  type ClientOptions,
  type ClientStorage,
  type ClientViewer,
  type CredentialReason,
  type EndReason,
  type ErrorFields,
  type GapNotice,
  type Message,
  type Sender,
  type State,
  type Status,
  type WebSocketClass,
} from '../src/index.ts';
import { shareBetweenTabs } from '../src/tabs/share-between-tabs.ts';

/** `npm run typecheck` is what fails here: nothing of this file is executed but the calls of `expectTypeOf`. */
interface Events {
  message: { text: string };
  reaction: { to: string; emoji: string };
}

const options = { url: 'https://realtime.example', credential: 'anonymous' } as const;
const client = createClient<Events>(options);
const lobby = client.channel('lobby');

test('events: listeners, publish, history and iteration have the data of their event', () => {
  expectTypeOf(() =>
    lobby.on('message', (message) => {
      expectTypeOf(message).toEqualTypeOf<Message<{ text: string }, 'message'>>();
      expectTypeOf(message.sender).toEqualTypeOf<Sender>();
    }),
  ).returns.toEqualTypeOf<() => void>();
  expectTypeOf(() =>
    lobby.on('*', (message) => {
      expectTypeOf(message.event).toEqualTypeOf<'message' | 'reaction'>();
      if (message.event === 'reaction')
        expectTypeOf(message.data).toEqualTypeOf<{ to: string; emoji: string }>();
    }),
  ).returns.toEqualTypeOf<() => void>();
  expectTypeOf(() =>
    client.direct.on('reaction', ({ data }) => expectTypeOf(data.emoji).toEqualTypeOf<string>()),
  );

  expectTypeOf(lobby.publish).toBeCallableWith('message', { text: 'hello' });
  expectTypeOf(lobby.publish).toBeCallableWith('message', { text: 'hello' }, { ephemeral: true });
  expectTypeOf(() => lobby.publish('message', { text: 'hello' })).returns.resolves.toEqualTypeOf<
    Message<{ text: string }, 'message'>
  >();
  // @ts-expect-error an event that the application does not have
  expectTypeOf(() => lobby.publish('massage', { text: 'hello' })).toBeFunction();
  // @ts-expect-error the data of another event
  expectTypeOf(() => lobby.publish('reaction', { text: 'hello' })).toBeFunction();
  // @ts-expect-error a listener for an event that the application does not have
  expectTypeOf(() => lobby.on('massage', () => undefined)).toBeFunction();

  expectTypeOf(lobby.history).returns.resolves.toHaveProperty('messages').items.toHaveProperty('data');
  expectTypeOf(lobby.messages).returns.toEqualTypeOf<
    AsyncGenerator<
      Message<{ text: string }, 'message'> | Message<{ to: string; emoji: string }, 'reaction'>,
      void
    >
  >();
  expectTypeOf(lobby.getSnapshot().messages).items.toHaveProperty('retry').toEqualTypeOf<() => void>();
  expectTypeOf(lobby.getSnapshot().members).toEqualTypeOf<readonly ChannelMember[]>();
});

test('a client without a map of events takes any event with unknown data', () => {
  const untyped = () => createClient(options).channel('lobby');
  expectTypeOf(() => untyped().on('anything', ({ data }) => expectTypeOf(data).toBeUnknown())).toBeFunction();
});

test('errors have a code, whether a repetition may help, and the documented fields', () => {
  expectTypeOf<SignalboxError>().toExtend<Error>();
  expectTypeOf<SignalboxError['code']>().toEqualTypeOf<string>();
  expectTypeOf<SignalboxError['retryable']>().toEqualTypeOf<boolean>();
  expectTypeOf<SignalboxError['fields']>().toEqualTypeOf<ErrorFields>();
  expectTypeOf<ErrorFields['retryAfterSeconds']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<ErrorFields['version']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Status['error']>().toEqualTypeOf<SignalboxError | undefined>();
  expectTypeOf(SignedOut).toBeConstructibleWith('The session has ended.');
});

test('events of the client itself have a status or a gap', () => {
  expectTypeOf(() =>
    client.on('status', (status) => expectTypeOf(status).toEqualTypeOf<Status>()),
  ).toBeFunction();
  expectTypeOf(() => client.on('gap', (gap) => expectTypeOf(gap).toEqualTypeOf<GapNotice>())).toBeFunction();
  expectTypeOf<State>().toEqualTypeOf<
    'idle' | 'connecting' | 'connected' | 'renewing' | 'waiting' | 'ended'
  >();
  expectTypeOf<Status['reason']>().toEqualTypeOf<EndReason | undefined>();
  expectTypeOf(client.viewer).toEqualTypeOf<ClientViewer | undefined>();
});

test('options: the credential has five forms and is required, and a storage may be asynchronous', () => {
  expectTypeOf(createClient).toBeCallableWith({ ...options, credential: 'eyJ' });
  expectTypeOf(createClient).toBeCallableWith({ ...options, credential: () => 'eyJ' });
  expectTypeOf(createClient).toBeCallableWith({ ...options, credential: { guest: { name: 'ada' } } });
  expectTypeOf(createClient).toBeCallableWith({ ...options, credential: { development: 'ada' } });
  expectTypeOf(createClient).toBeCallableWith({
    ...options,
    credential: async (reason: CredentialReason) => ({ credential: reason, cursor: null }),
  });
  expectTypeOf<CredentialReason>().toEqualTypeOf<'start' | 'expiring' | 'expired' | 'revoked' | 'wake'>();
  // @ts-expect-error no client is anonymous by accident
  expectTypeOf(() => createClient({ url: options.url })).toBeFunction();
  // @ts-expect-error there is no such option
  expectTypeOf(() => createClient({ ...options, token: 'eyJ' })).toBeFunction();
  expectTypeOf<ClientOptions['outboxLimit']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<ClientOptions['storage']>().toEqualTypeOf<ClientStorage | (() => ClientStorage) | undefined>();
  expectTypeOf<{
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<void>;
    removeItem(key: string): Promise<void>;
  }>().toExtend<ClientStorage>();
});

test('a shared connection is a WebSocket class, of which another one may be the base', () => {
  expectTypeOf(shareBetweenTabs).returns.toEqualTypeOf<WebSocketClass>();
  expectTypeOf(createClient).toBeCallableWith({ ...options, webSocket: shareBetweenTabs() });
  expectTypeOf(shareBetweenTabs).toBeCallableWith({ webSocket: shareBetweenTabs() });
  // @ts-expect-error tabs find each other by service and token, not by a name
  expectTypeOf(() => shareBetweenTabs({ name: 'chat' })).toBeFunction();
});
