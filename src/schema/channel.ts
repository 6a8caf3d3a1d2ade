import { type Member } from '../broker/leases.ts';
import { requireState, type Channel } from '../channels/channel.ts';
import { pageOf, type PageRequest } from '../paging.ts';
import { requireApiKey } from '../tokens/caller.ts';
import { withCredentialRights } from '../tokens/token.ts';
import { builder, nullToUndefined } from './builder.ts';
import { CreateChannelInput, UpdateChannelInput } from './channel-input.ts';
import { ConnectionRef } from './connection.ts';
import { ChannelTypeEnum } from './enums.ts';
import { historyArgs, MessageConnection, toMessagePage } from './message.ts';
import { relayConnection, forwardArgs, readRelayConnection, selectedPage, toPageRequest } from './paging.ts';
import { TokenConnection, TokenRef } from './token.ts';

const MemberConnection = relayConnection('Member', ConnectionRef);

const ChannelPresence = builder.objectRef<Channel>('ChannelPresence').implement({
  description:
    'The live connections that are subscribed to a channel, anonymous connections included. Connections of API keys are not counted.',
  fields: (t) => ({
    count: t.int({
      description: 'The number of connections.',
      resolve: (channel, _, { caller, domain }) => domain.presence.count(caller, channel.id),
    }),
    members: t.field({
      type: MemberConnection,
      description: 'The connections, sorted by id.',
      args: { ...forwardArgs },
      async resolve(channel, args, { caller, domain }) {
        return readRelayConnection(
          toPageRequest(args),
          async ({ first, after }) =>
            pageOf(await domain.presence.members(caller, channel.id, { after, limit: first + 1 }), first),
          (member: Member) => member.connectionId,
        );
      },
    }),
  }),
});

const HistoryPolicy = builder.objectRef<Channel>('HistoryPolicy').implement({
  description:
    'How many messages of a channel the log keeps. Older messages are not returned, and the next purge removes them.',
  fields: (t) => ({
    messages: t.exposeInt('historyMessages', {
      nullable: true,
      description: 'The number of newest messages to keep; null: the limit of the service.',
    }),
    seconds: t.exposeInt('historySeconds', {
      nullable: true,
      description: 'The maximum age of a message in seconds; null: the limit of the service.',
    }),
  }),
});

/** `endedMemberships` is set by updateChannel. */
export const ChannelRef = builder.objectRef<Channel & { endedMemberships?: number }>('Channel').implement({
  description: 'A named stream of messages, with a type, a state and a history policy.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the channel, unique within its project.' }),
    type: t.expose('type', { type: ChannelTypeEnum, description: 'Who may subscribe to the channel.' }),
    kind: t.exposeString('kind', {
      nullable: true,
      description:
        'The custom kind of the channel, which determines its type; null: the channel has only a type.',
    }),
    state: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'A JSON document that every subscriber of the channel can read. Throws UNAVAILABLE when the stored document is damaged.',
      resolve: requireState,
    }),
    version: t.exposeInt('version', {
      description:
        'The version of the state. It starts at 1 and grows by 1 with each change; pass it as `ifVersion`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the channel was created.' }),
    endedMemberships: t.int({
      nullable: true,
      description:
        'In the result of `updateChannel`: the number of memberships that ended because the channel became PRIVATE. Null elsewhere.',
      resolve: ({ endedMemberships }) => endedMemberships ?? null,
    }),
    history: t.field({
      type: HistoryPolicy,
      description: 'How many messages the log keeps.',
      resolve: (channel) => channel,
    }),
    messages: t.field({
      type: MessageConnection,
      description:
        'The messages that the log still holds, by default the newest 20. Edge cursors are valid values of `since`: read a page, then subscribe since its `endCursor`, and no message is missed. For callers that may SUBSCRIBE; a member of a PRIVATE channel sees the messages published since its membership began. Throws POSITION_LOST when messages after `after` were removed.',
      args: { ...historyArgs },
      async resolve(channel, args, { caller, domain }) {
        return toMessagePage(await domain.history.ofChannel(caller, channel.id, args), domain.cursors);
      },
    }),
    presence: t.field({
      type: ChannelPresence,
      description: 'Who is connected to the channel. For callers that may PRESENCE.',
      resolve: (channel) => channel,
    }),
    tokens: t.field({
      type: TokenConnection,
      description: 'The tokens that are subscribed to the channel, online or offline. For API keys.',
      args: { ...forwardArgs },
      async resolve(channel, args, { caller, domain }) {
        requireApiKey(caller, 'READ', channel.id);
        const { projectId, id: channelId } = channel;
        const read = (page: PageRequest) =>
          selectedPage(
            page,
            (part) => domain.memberships.listOfChannel(projectId, channelId, part),
            ({ tokenId }) => tokenId,
            async ({ tokenId }) => {
              const token = await domain.tokens.find(projectId, tokenId);
              return token && withCredentialRights(token, token.credentialRights);
            },
          );
        return readRelayConnection(toPageRequest(args), read, ({ id }) => id);
      },
    }),
  }),
});

const ChannelConnection = relayConnection('Channel', ChannelRef);

// Defined here and not in token.ts, because Channel has tokens and Token has channels, and one file must come first.
builder.objectField(TokenRef, 'channels', (t) =>
  t.field({
    type: ChannelConnection,
    description:
      'The channels that the token is subscribed to, whether or not it may receive them now. For API keys.',
    args: { ...forwardArgs },
    async resolve({ projectId, id: tokenId }, args, { caller, domain }) {
      requireApiKey(caller, 'READ');
      const read = (page: PageRequest) =>
        selectedPage(
          page,
          (part) => domain.memberships.listOfToken(projectId, tokenId, part),
          ({ channelId }) => channelId,
          ({ channelId }) => domain.channels.find(projectId, channelId),
        );
      return readRelayConnection(toPageRequest(args), read, ({ id }) => id);
    },
  }),
);

builder.queryFields((t) => ({
  channel: t.field({
    type: ChannelRef,
    nullable: true,
    description:
      'A channel by its id. For API keys, and for callers that may SUBSCRIBE. Throws NOT_FOUND to API keys; other callers get UNAUTHENTICATED or FORBIDDEN, whether or not the channel exists.',
    args: { id: t.arg.id({ required: true, description: 'The channel’s id.' }) },
    resolve: async (_, { id }, { caller, domain }) =>
      (await domain.channels.access.require(caller, 'SUBSCRIBE', id)).channel,
  }),
  channels: t.field({
    type: ChannelConnection,
    description:
      'The channels of the project, sorted by id. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...forwardArgs,
      type: t.arg({ type: ChannelTypeEnum, description: 'Only channels of this type.' }),
    },
    async resolve(_, { type, ...args }, { caller, domain }) {
      return readRelayConnection(
        toPageRequest(args),
        (page) => domain.channels.list(caller, page, nullToUndefined(type)),
        ({ id }) => id,
      );
    },
  }),
}));

const channelArg = builder.args((t) => ({
  channel: t.id({ required: true, description: 'The channel’s id.' }),
}));
const ifVersionArg = builder.args((t) => ({
  ifVersion: t.int({
    description:
      'Apply the change only if the state has this version; otherwise CONFLICT, with the current version in `extensions.version`.',
  }),
}));

builder.mutationFields((t) => ({
  createChannel: t.field({
    type: ChannelRef,
    description:
      'Creates a channel. For API keys. Throws CONFLICT when the id is taken or the kind gets another type at the same moment, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      input: t.arg({
        type: CreateChannelInput,
        required: true,
        description: 'The properties of the channel.',
      }),
    },
    resolve: (_, { input }, { caller, domain }) =>
      domain.channels.create(caller, {
        id: nullToUndefined(input.id),
        type: nullToUndefined(input.type),
        kind: nullToUndefined(input.kind),
        state: input.state,
        historyMessages: input.history?.messages,
        historySeconds: input.history?.seconds,
      }),
  }),
  updateChannel: t.field({
    type: ChannelRef,
    description:
      'Changes the type, the kind or the history policy of a channel. For API keys. Throws NOT_FOUND, CONFLICT when the kind gets another type at the same moment (memberships may have ended then), BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      id: t.arg.id({ required: true, description: 'The channel’s id.' }),
      input: t.arg({ type: UpdateChannelInput, required: true, description: 'The fields to change.' }),
    },
    async resolve(_, { id, input }, { caller, domain }) {
      const { channel, endedMemberships } = await domain.channels.update(caller, id, {
        type: nullToUndefined(input.type),
        kind: nullToUndefined(input.kind),
        historyMessages: input.history?.messages,
        historySeconds: input.history?.seconds,
        keepsMemberships: input.keepMemberships ?? false,
      });
      return { ...channel, endedMemberships };
    },
  }),
  deleteChannel: t.field({
    type: ChannelRef,
    description:
      'Deletes a channel with its memberships and messages. For API keys. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The channel’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.channels.remove(caller, id),
  }),
  setChannelState: t.field({
    type: ChannelRef,
    description:
      'Replaces the state of a channel and delivers it to all subscribers. For API keys, and for tokens that may MODERATE; a token that may not SUBSCRIBE gets null as the `state` of the result. Throws RATE_LIMITED, CONFLICT, NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT, PAYLOAD_TOO_LARGE.',
    args: {
      ...channelArg,
      state: t.arg({ type: 'JSON', required: true, description: 'The new state.' }),
      ...ifVersionArg,
    },
    resolve: (_, { channel, state, ifVersion }, { caller, domain }) =>
      domain.channels.setState(caller, channel, state, nullToUndefined(ifVersion)),
  }),
  patchChannelState: t.field({
    type: ChannelRef,
    description:
      'Applies a JSON merge patch (RFC 7396) to the state of a channel: objects are merged, null removes a property, and every other value replaces the old one. Concurrent patches are applied one after the other. For API keys, and for tokens that may MODERATE; a token that may not SUBSCRIBE gets null as the `state` of the result. Throws RATE_LIMITED, CONFLICT, NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, and UNAVAILABLE when the stored state is damaged.',
    args: {
      ...channelArg,
      patch: t.arg({ type: 'JSON', required: true, description: 'The merge patch.' }),
      ...ifVersionArg,
    },
    resolve: (_, { channel, patch, ifVersion }, { caller, domain }) =>
      domain.channels.patchState(caller, channel, patch, nullToUndefined(ifVersion)),
  }),
}));

builder.subscriptionFields((t) => ({
  channelState: t.field({
    type: ChannelRef,
    description:
      'Yields the channel with its current state, then the channel again after each change of the state. For callers that may SUBSCRIBE. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND.',
    args: { ...channelArg },
    subscribe: async (_, { channel }, context) =>
      context.domain.subscriptions.channelState(await context.connect(), channel),
    resolve: (channel) => channel,
  }),
}));
