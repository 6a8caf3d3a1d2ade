import { type Published } from '../broker/broker.ts';
import { channelOf, type Message, type Sender } from '../broker/message.ts';
import { type HistoryPage } from '../messages/history.ts';
import { IDEMPOTENCY_SECONDS } from '../messages/publish.ts';
import { type Cursors } from '../messages/cursor.ts';
import { describeName } from '../names.ts';
import { builder, nullToUndefined } from './builder.ts';
import { relayConnection, type RelayConnection } from './paging.ts';

const SenderKindEnum = builder.enumType('SenderKind', {
  description: 'What kind of caller said it.',
  values: {
    API_KEY: { description: 'A backend, with an API key.' },
    TOKEN: { description: 'A client, with a token.' },
  } as const,
});

const SenderRef = builder.objectRef<Sender>('Sender').implement({
  description: 'Who said it, as it was when it was said.',
  fields: (t) => ({
    kind: t.expose('kind', { type: SenderKindEnum, description: 'What kind of caller.' }),
    token: t.exposeID('tokenId', { nullable: true, description: 'The id of its token; null for API keys.' }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The user, where the token names one.',
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'What the backend lets others see of the token.',
    }),
  }),
});

export const MessageRef = builder.objectRef<Message>('Message').implement({
  description: 'What is said: in a channel, or directly to a token, an identity or a connection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`msg_…`' }),
    cursor: t.field({
      type: 'Cursor',
      nullable: true,
      description:
        'Its place in the log; pass the last one you saw as `since`. Null when it skipped the log and is never replayed.',
      resolve: ({ projectId, logged }, _, { domain }) => logged && domain.cursors.format(projectId, logged),
    }),
    previous: t.field({
      type: 'Cursor',
      nullable: true,
      description:
        'The cursor of the message before it in the same channel, or to the same direct address; null for the first. If it is the last one you saw there, you missed nothing.',
      resolve: ({ projectId, logged }, _, { domain }) =>
        logged && logged.previous > 0
          ? domain.cursors.format(projectId, { epoch: logged.epoch, sequence: logged.previous })
          : null,
    }),
    channel: t.id({
      nullable: true,
      description: 'The id of the channel that it was said in; null for direct messages.',
      resolve: ({ address }) => channelOf(address),
    }),
    event: t.exposeString('event', { description: 'Its name, chosen by whoever said it.' }),
    data: t.expose('data', { type: 'JSON', nullable: true, description: 'Its content.' }),
    sender: t.expose('sender', { type: SenderRef, description: 'Who said it.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'When it was said.' }),
  }),
});

export const MessageConnection = relayConnection('Message', MessageRef, 'Cursor');

/** The arguments of a list of messages, whose cursors are places in the log. */
export const historyArgs = builder.args((t) => ({
  first: t.int({ description: 'The oldest so many after `after`: 1–100, fewer where they are large.' }),
  after: t.field({ type: 'Cursor', description: 'Only what was said after it.' }),
  last: t.int({ description: 'The newest so many before `before`: 1–100, 20 by default.' }),
  before: t.field({ type: 'Cursor', description: 'Only what was said before it.' }),
}));

export function toMessagePage(
  { messages, hasNextPage, hasPreviousPage, end }: HistoryPage,
  cursors: Cursors,
): RelayConnection<Message> {
  const edges = messages.flatMap((node) =>
    node.logged ? [{ cursor: cursors.format(node.projectId, node.logged), node }] : [],
  );
  return { edges, hasNextPage, hasPreviousPage, end };
}

const Receipt = builder.objectRef<Published>('Receipt').implement({
  description: 'That a message was said. It is kept, unless it is ephemeral.',
  fields: (t) => ({
    message: t.expose('message', {
      type: MessageRef,
      description: 'The message; on a repeat, the first one.',
    }),
    connections: t.exposeInt('connections', {
      description: 'How many live connections it was handed to; 0 on a repeat.',
    }),
    repeated: t.exposeBoolean('repeated', {
      description: 'Whether the idempotency key was used before, so that nothing was said again.',
    }),
  }),
});

const publishArgs = builder.args((t) => ({
  event: t.string({ required: true, description: `Its name. ${describeName('event')}.` }),
  data: t.field({ type: 'JSON', description: 'Its content: at most 32 KiB of JSON by default.' }),
  ephemeral: t.boolean({
    description: 'Skips the log: heard by who is here now, never replayed. False by default.',
  }),
  idempotencyKey: t.string({
    description: `Repeats of the same publish with the same key say nothing again for ${IDEMPOTENCY_SECONDS / 3600} hours. ${describeName('idempotencyKey')}.`,
  }),
}));

builder.mutationFields((t) => ({
  publishMessage: t.field({
    type: Receipt,
    description:
      'Says something in a channel. For API keys, and for tokens whose role and grants allow PUBLISH there. Once it returns, the message survives a crash. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT, CONFLICT, UNAVAILABLE.',
    args: { channel: t.arg.id({ required: true, description: 'The channel’s id.' }), ...publishArgs },
    resolve: (_, { channel, event, data, ephemeral, idempotencyKey }, { caller, domain }) =>
      domain.messages.publish(caller, channel, {
        event,
        data,
        ephemeral: nullToUndefined(ephemeral),
        idempotencyKey: nullToUndefined(idempotencyKey),
      }),
  }),
  publishDirectMessage: t.field({
    type: Receipt,
    description:
      'Says something to one address: name exactly one of `token`, `identity` and `connection`. For API keys; to a connection also for tokens, where the project lets publishers signal. What is said to a token or identity waits in the log while it is offline; what is said to a connection is never kept. Throws NOT_FOUND, TOKEN_REVOKED, FORBIDDEN, UNAUTHENTICATED, RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT, CONFLICT, UNAVAILABLE.',
    args: {
      token: t.arg.id({ description: 'To every connection of this token.' }),
      identity: t.arg.string({ description: 'To every connection of every token of this identity.' }),
      connection: t.arg.id({
        description:
          'To this live connection: at most 8 KiB of `data` by default, `event` of at most 128 bytes.',
      }),
      channel: t.arg.id({
        description:
          'With `connection`, and needed of tokens: a channel in which the connection is and the caller may PUBLISH.',
      }),
      ...publishArgs,
    },
    resolve: (
      _,
      { token, identity, connection, channel, event, data, ephemeral, idempotencyKey },
      { caller, domain },
    ) =>
      domain.messages.publishDirect(
        caller,
        {
          token: nullToUndefined(token),
          identity: nullToUndefined(identity),
          connection: nullToUndefined(connection),
          channel: nullToUndefined(channel),
        },
        {
          event,
          data,
          ephemeral: nullToUndefined(ephemeral),
          idempotencyKey: nullToUndefined(idempotencyKey),
        },
      ),
  }),
}));

const SINCE = 'Resume after this cursor: everything said since is replayed first. Absent: from now on.';

builder.subscriptionFields((t) => ({
  messages: t.field({
    type: MessageRef,
    description:
      'The messages of one channel, in order, each once. For whoever may SUBSCRIBE there; ends with the refusal when that changes. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, POSITION_LOST, BAD_USER_INPUT.',
    args: {
      channel: t.arg.id({ required: true, description: 'The channel’s id.' }),
      since: t.arg({ type: 'Cursor', description: SINCE }),
      events: t.arg.stringList({ description: 'Only messages of these names, at most 100.' }),
    },
    subscribe: async (_, { channel, since, events }, context) =>
      context.domain.subscriptions.messages(await context.connect(), channel, {
        since: nullToUndefined(since),
        events: nullToUndefined(events),
      }),
    resolve: (message) => message,
  }),
  directMessages: t.field({
    type: MessageRef,
    description:
      'What is said directly to the calling token, to its identity or to this connection. Throws UNAUTHENTICATED, POSITION_LOST, BAD_USER_INPUT.',
    args: { since: t.arg({ type: 'Cursor', description: SINCE }) },
    subscribe: async (_, { since }, context) =>
      context.domain.subscriptions.directMessages(await context.connect(), { since: nullToUndefined(since) }),
    resolve: (message) => message,
  }),
}));
