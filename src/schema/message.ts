import { type Published } from '../broker/broker.ts';
import { channelOf, type Message, type Sender } from '../broker/message.ts';
import { type HistoryPage } from '../messages/history.ts';
import { IDEMPOTENCY_SECONDS } from '../messages/draft.ts';
import { MAX_PUBLISHES, type PublishOutcome } from '../messages/publish-batch.ts';
import { type Cursors } from '../messages/cursor.ts';
import { describeName } from '../names.ts';
import { builder, nullToUndefined } from './builder.ts';
import { OutcomeErrorRef } from './outcome-error.ts';
import { relayConnection, type RelayConnection } from './paging.ts';

const SenderKindEnum = builder.enumType('SenderKind', {
  description: 'The kind of caller that published a message.',
  values: {
    API_KEY: { description: 'A backend, with an API key.' },
    TOKEN: { description: 'A client, with a token.' },
  } as const,
});

const SenderRef = builder.objectRef<Sender>('Sender').implement({
  description: 'The caller that published a message, with the values at the time of publishing.',
  fields: (t) => ({
    kind: t.expose('kind', { type: SenderKindEnum, description: 'The kind of caller.' }),
    token: t.exposeID('tokenId', { nullable: true, description: 'The id of the token; null for API keys.' }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The identity of the token, if it has one.',
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'Public text about the sender’s token; see `Token.connectionData`.',
    }),
  }),
});

export const MessageRef = builder.objectRef<Message>('Message').implement({
  description:
    'A message that was published to a channel, or directly to a token, an identity or a connection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`msg_…`' }),
    cursor: t.field({
      type: 'Cursor',
      nullable: true,
      description:
        'The position of the message in the log. Pass the last cursor that you saw as `since`. Null if the message is not in the log and is never replayed.',
      resolve: ({ projectId, logged }, _, { domain }) => logged && domain.cursors.format(projectId, logged),
    }),
    previous: t.field({
      type: 'Cursor',
      nullable: true,
      description:
        'The cursor of the previous message of the same channel or direct address; null for the first message. If it equals the last cursor that you received there, no message is missing.',
      resolve: ({ projectId, logged }, _, { domain }) =>
        logged && logged.previous > 0
          ? domain.cursors.format(projectId, {
              epoch: logged.previousEpoch ?? logged.epoch,
              sequence: logged.previous,
            })
          : null,
    }),
    ordinal: t.float({
      nullable: true,
      description:
        'The number of the message in its channel or at its direct address: a whole number, from 1, without holes. Sort by it. A missing number is a message that you did not receive: it was removed, filtered out, or published while you were not a member. Null if the message is not in the log.',
      resolve: ({ logged }) => logged?.ordinal,
    }),
    idempotencyKey: t.string({
      nullable: true,
      description:
        'The idempotency key of the publish, to recognise your own message. Only for the token that published the message, and for API keys if an API key did; null for all others.',
      resolve: ({ idempotencyKey, sender }, _, context) =>
        idempotencyKey !== undefined && context.isSender(sender) ? idempotencyKey : null,
    }),
    channel: t.id({
      nullable: true,
      description: 'The id of the channel; null for direct messages.',
      resolve: ({ address }) => channelOf(address),
    }),
    event: t.exposeString('event', { description: 'The event name, chosen by the sender.' }),
    data: t.expose('data', { type: 'JSON', nullable: true, description: 'The content.' }),
    sender: t.expose('sender', { type: SenderRef, description: 'The sender.' }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      description: 'When the message was published.',
    }),
  }),
});

export const MessageConnection = relayConnection('Message', MessageRef, 'Cursor');

/** The arguments of a list of messages, whose cursors are positions in the log. */
export const historyArgs = builder.args((t) => ({
  first: t.int({
    description: 'The number of messages after `after`: 1–100. A page of large messages may hold fewer.',
  }),
  after: t.field({ type: 'Cursor', description: 'Only messages after this cursor.' }),
  last: t.int({ description: 'The number of messages before `before`: 1–100, 20 by default.' }),
  before: t.field({ type: 'Cursor', description: 'Only messages before this cursor.' }),
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
  description: 'The confirmation of a publish. The message is in the log, unless it is ephemeral.',
  fields: (t) => ({
    message: t.expose('message', {
      type: MessageRef,
      description: 'The published message; on a repeat, the message of the first publish.',
    }),
    connections: t.exposeInt('connections', {
      description:
        'The number of live connections that the message was delivered to; 0 on a repeat. On several nodes: those of the node that received the message.',
    }),
    repeated: t.exposeBoolean('repeated', {
      description: 'Whether the idempotency key was used before, so that nothing was published again.',
    }),
  }),
});

const EVENT = `The event name. ${describeName('event')}.`;
const DATA = 'The content: at most 32 KiB of JSON by default.';
const EPHEMERAL =
  'Whether to skip the log: the message is delivered to live connections only and never replayed. False by default.';
const IDEMPOTENCY_KEY = `Makes the publish idempotent: for ${IDEMPOTENCY_SECONDS / 3600} hours, a repeat with the same key by the same caller publishes nothing and returns the receipt of the first, with \`repeated: true\`; another message with that key is CONFLICT. ${describeName('idempotencyKey')}.`;

const publishArgs = builder.args((t) => ({
  event: t.string({ required: true, description: EVENT }),
  data: t.field({ type: 'JSON', description: DATA }),
  ephemeral: t.boolean({ description: EPHEMERAL }),
  idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
}));

const PublishMessageInput = builder.inputType('PublishMessageInput', {
  description: 'One message of publishMessages.',
  fields: (t) => ({
    channel: t.id({ required: true, description: 'The channel’s id.' }),
    event: t.string({ required: true, description: EVENT }),
    data: t.field({ type: 'JSON', description: DATA }),
    ephemeral: t.boolean({ description: EPHEMERAL }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const PublishOutcomeRef = builder.objectRef<PublishOutcome>('PublishOutcome').implement({
  description: 'The outcome for one message of publishMessages: either a receipt or an error.',
  fields: (t) => ({
    receipt: t.expose('published', {
      type: Receipt,
      nullable: true,
      description: 'The confirmation; null if the message was refused.',
    }),
    error: t.expose('error', {
      type: OutcomeErrorRef,
      nullable: true,
      description: 'Why the message was refused: the error of publishMessage; null if it was published.',
    }),
  }),
});

builder.mutationFields((t) => ({
  publishMessage: t.field({
    type: Receipt,
    description:
      'Publishes a message to a channel. Once the mutation has returned, the message survives a crash of the service. For API keys, and for tokens that may PUBLISH. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT, CONFLICT, UNAVAILABLE.',
    args: { channel: t.arg.id({ required: true, description: 'The channel’s id.' }), ...publishArgs },
    resolve: (_, { channel, event, data, ephemeral, idempotencyKey }, { caller, domain }) =>
      domain.messages.publish(caller, channel, {
        event,
        data,
        ephemeral: nullToUndefined(ephemeral),
        idempotencyKey: nullToUndefined(idempotencyKey),
      }),
  }),
  publishMessages: t.field({
    type: [PublishOutcomeRef],
    description: `Publishes at most ${MAX_PUBLISHES} messages to channels, in order. The outcomes have the order of the messages; their errors are those of publishMessage. A refused message does not affect the others; each message counts against the rate limit. If the log fails after some of the messages, the outcomes of the others are UNAVAILABLE. For API keys, and for tokens that may PUBLISH. Throws LIMIT_EXCEEDED, BAD_USER_INPUT for an empty list, and UNAVAILABLE when no message is known to be published.`,
    args: {
      messages: t.arg({
        type: [PublishMessageInput],
        required: true,
        description: `The messages: 1–${MAX_PUBLISHES}.`,
      }),
    },
    async resolve(_, { messages }, { caller, address, domain }, { fieldName: field }) {
      const outcomes = await domain.messages.publishAll(
        caller,
        messages.map(({ channel, event, data, ephemeral, idempotencyKey }) => ({
          channel,
          event,
          data,
          ephemeral: nullToUndefined(ephemeral),
          idempotencyKey: nullToUndefined(idempotencyKey),
        })),
      );
      domain.refusals.reportOutcomes({ caller, address, field }, outcomes);
      return outcomes;
    },
  }),
  publishDirectMessage: t.field({
    type: Receipt,
    description:
      'Publishes a message directly to one address: pass exactly one of `token`, `identity` and `connection`. Messages to a token or an identity are kept in the log, so that an offline client receives them when it resumes; messages to a connection are never stored. For API keys; to a connection also for tokens, if the project setting `publishersSignal` is on. Throws NOT_FOUND, TOKEN_REVOKED, FORBIDDEN, UNAUTHENTICATED, RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT, CONFLICT, UNAVAILABLE.',
    args: {
      token: t.arg.id({ description: 'Deliver to every connection of this token.' }),
      identity: t.arg.string({ description: 'Deliver to every connection of every token of this identity.' }),
      connection: t.arg.id({
        description:
          'Deliver to this live connection: at most 8 KiB of `data` by default, and an `event` of at most 128 bytes.',
      }),
      channel: t.arg.id({
        description:
          'A channel that the connection is in and that the caller may PUBLISH to. Only with `connection`; required for tokens.',
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

const SINCE = 'Replay all messages after this cursor first. Absent: start now.';

builder.subscriptionFields((t) => ({
  messages: t.field({
    type: MessageRef,
    description:
      'The messages of one channel, in order, each once. For callers that may SUBSCRIBE; the subscription ends with an error when the caller no longer may. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, POSITION_LOST, RATE_LIMITED, LIMIT_EXCEEDED for too many names, BAD_USER_INPUT.',
    args: {
      channel: t.arg.id({ required: true, description: 'The channel’s id.' }),
      since: t.arg({ type: 'Cursor', description: SINCE }),
      events: t.arg.stringList({
        description: 'Only messages with one of these event names, at most 100 names.',
      }),
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
      'The messages that are published directly to the calling token, to its identity or to the connection. Throws UNAUTHENTICATED, POSITION_LOST, BAD_USER_INPUT.',
    args: {
      since: t.arg({
        type: 'Cursor',
        description:
          'Replay all messages after this cursor first. Absent: the `since` of `connection_init`, or start now.',
      }),
    },
    subscribe: async (_, { since }, context) =>
      context.domain.subscriptions.directMessages(await context.connect(), { since: nullToUndefined(since) }),
    resolve: (message) => message,
  }),
}));
