export { createClient } from './create-client.ts';
export { SignalboxError, SignedOut, type ErrorFields } from './errors.ts';
export type {
  ClientEvents,
  ClientOptions,
  ClientViewer,
  GapNotice,
  GraphqlOptions,
  SignalboxClient,
  SubscriptionSink,
} from './client.ts';
export type {
  Channel,
  History,
  HistoryOptions,
  MessagesOptions,
  PublishOptions,
} from './channels/channel.ts';
export type { ChannelMember } from './channels/members.ts';
export type { ChannelSnapshot, TimelineEntry } from './channels/snapshot.ts';
export type { TypingUser } from './channels/typing.ts';
export type { EndReason } from './connection/close-reason.ts';
export type { Status } from './connection/status.ts';
export type { State } from './connection/transitions.ts';
export type { Credential, CredentialOption, CredentialReason } from './credential/credential.ts';
export type {
  AnyMessage,
  EventMap,
  EventName,
  Message,
  MessageListeners,
  MessageOf,
  Sender,
} from './message.ts';
export type { AbortSignalLike, ClientStorage, Runtime, WebSocketClass } from './runtime.ts';
