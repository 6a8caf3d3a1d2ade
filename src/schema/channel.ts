import { type Member } from '../broker/leases.ts';
import { type Channel } from '../channels/channel.ts';
import { describeName } from '../names.ts';
import { pageOf } from '../paging.ts';
import { requireApiKey } from '../tokens/caller.ts';
import { withCredentialRights } from '../tokens/token.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ConnectionRef } from './connection.ts';
import { ChannelTypeEnum } from './enums.ts';
import { historyArgs, MessageConnection, toMessagePage } from './message.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';
import { TokenConnection } from './token.ts';

const MemberConnection = relayConnection('Member', ConnectionRef);

const ChannelPresence = builder.objectRef<Channel>('ChannelPresence').implement({
  description:
    'Who is in a channel: the live connections that hear it, anonymous ones too. API keys are not counted.',
  fields: (t) => ({
    count: t.int({
      description: 'How many connections.',
      resolve: (channel, _, { caller, domain }) => domain.presence.count(caller, channel.id),
    }),
    members: t.field({
      type: MemberConnection,
      description: 'The connections.',
      args: { ...forwardArgs },
      async resolve(channel, args, { caller, domain }) {
        const page = toPageRequest(args);
        const found = await domain.presence.members(caller, channel.id, {
          after: page.after,
          limit: page.first + 1,
        });
        return toRelayConnection(pageOf(found, page.first), page, (member: Member) => member.connectionId);
      },
    }),
  }),
});

const HistoryPolicy = builder.objectRef<Channel>('HistoryPolicy').implement({
  description: 'How much of a channel the log keeps. What is over is removed within seconds.',
  fields: (t) => ({
    messages: t.exposeInt('historyMessages', {
      nullable: true,
      description: 'The newest so many; null: as many as the service keeps.',
    }),
    seconds: t.exposeInt('historySeconds', {
      nullable: true,
      description: 'What is no older, in seconds; null: as long as the service keeps it.',
    }),
  }),
});

export const ChannelRef = builder.objectRef<Channel>('Channel').implement({
  description: 'A named place in which messages are said.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its name within the project.' }),
    type: t.expose('type', { type: ChannelTypeEnum, description: 'Who may enter.' }),
    kind: t.exposeString('kind', {
      nullable: true,
      description: 'A kind of the project’s own, whose type it has; null: just its type.',
    }),
    state: t.expose('state', {
      type: 'JSON',
      nullable: true,
      description: 'A document that everyone who hears the channel sees.',
    }),
    version: t.exposeInt('version', {
      description: 'Counts the changes of the state, from 1; for `ifVersion`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    history: t.field({
      type: HistoryPolicy,
      description: 'How much the log keeps.',
      resolve: (channel) => channel,
    }),
    messages: t.field({
      type: MessageConnection,
      description:
        'What is kept, the newest 20 by default. Edge cursors are what `since` takes: read a page, subscribe since its end, and nothing falls between. For whoever may SUBSCRIBE; a member of a PRIVATE channel sees what was said since it joined. Throws POSITION_LOST when `after` is older than what is kept.',
      args: { ...historyArgs },
      async resolve(channel, args, { caller, domain }) {
        return toMessagePage(await domain.history.ofChannel(caller, channel.id, args), domain.cursors);
      },
    }),
    presence: t.field({
      type: ChannelPresence,
      description: 'Who is there. For whoever may PRESENCE.',
      resolve: (channel) => channel,
    }),
    tokens: t.field({
      type: TokenConnection,
      description: 'The tokens that are subscribed to it, online or not. For API keys.',
      args: { ...forwardArgs },
      async resolve(channel, args, { caller, domain }) {
        requireApiKey(caller);
        const page = toPageRequest(args);
        const { items, hasMore } = await domain.memberships.listOfChannel(
          channel.projectId,
          channel.id,
          page,
        );
        const found = await Promise.all(
          items.map(({ tokenId }) => domain.tokens.find(channel.projectId, tokenId)),
        );
        const tokens = found.flatMap((token) =>
          token ? withCredentialRights(token, token.credentialRights) : [],
        );
        return toRelayConnection({ items: tokens, hasMore }, page, ({ id }) => id);
      },
    }),
  }),
});

const ChannelConnection = relayConnection('Channel', ChannelRef);

const HistoryPolicyInput = builder.inputType('HistoryPolicyInput', {
  description: 'How much of a channel to keep; never more than the service does.',
  fields: (t) => ({
    messages: t.int({
      description: 'The newest so many, 0 for none: 0–10,000 by default. Null: as many as the service keeps.',
    }),
    seconds: t.int({
      description:
        'What is no older, in seconds: 0–604,800 by default. Null: as long as the service keeps it.',
    }),
  }),
});

const KIND =
  'A kind of the project’s own, which brings its type; see `ProjectSettings.permissions`. Not beside `type`.';

const CreateChannelInput = builder.inputType('CreateChannelInput', {
  description: 'A channel to be.',
  fields: (t) => ({
    id: t.id({ description: `Its name. ${describeName('channel')}. One is made up when absent.` }),
    type: t.field({ type: ChannelTypeEnum, description: 'Who may enter; PRIVATE by default.' }),
    kind: t.string({ description: KIND }),
    state: t.field({
      type: 'JSON',
      description: 'Its state: at most 16 KiB of JSON by default; `{}` when absent.',
    }),
    history: t.field({
      type: HistoryPolicyInput,
      description: 'How much to keep; absent: as much as the service does.',
    }),
  }),
});

const UpdateChannelInput = builder.inputType('UpdateChannelInput', {
  description: 'What shall change; what is absent stays.',
  fields: (t) => ({
    type: t.field({
      type: ChannelTypeEnum,
      description:
        'Who may enter from now on; who no longer may is silenced at once. Takes a kind of the project’s own away.',
    }),
    kind: t.string({ description: KIND }),
    history: t.field({ type: HistoryPolicyInput, description: 'How much to keep from now on.' }),
  }),
});

builder.queryFields((t) => ({
  channel: t.field({
    type: ChannelRef,
    nullable: true,
    description:
      'A channel by its id. For API keys, and for whoever may SUBSCRIBE. Throws NOT_FOUND; to others UNAUTHENTICATED or FORBIDDEN, whether it exists or not.',
    args: { id: t.arg.id({ required: true, description: 'The channel’s id.' }) },
    resolve: async (_, { id }, { caller, domain }) =>
      (await domain.channels.access.require(caller, 'SUBSCRIBE', id)).channel,
  }),
  channels: t.field({
    type: ChannelConnection,
    description: 'The project’s channels by id. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { ...forwardArgs, type: t.arg({ type: ChannelTypeEnum, description: 'Only those of this type.' }) },
    async resolve(_, { type, ...args }, { caller, domain }) {
      const page = toPageRequest(args);
      return toRelayConnection(
        await domain.channels.list(caller, page, nullToUndefined(type)),
        page,
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
      'Only if the channel has this version; otherwise CONFLICT, with the current one in `extensions.version`.',
  }),
}));

builder.mutationFields((t) => ({
  createChannel: t.field({
    type: ChannelRef,
    description:
      'Makes a channel. For API keys. Throws CONFLICT when the id is taken, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, FORBIDDEN.',
    args: { input: t.arg({ type: CreateChannelInput, required: true, description: 'What it shall be.' }) },
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
      'Changes who may enter a channel and how much is kept. For API keys. Throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN.',
    args: {
      id: t.arg.id({ required: true, description: 'The channel’s id.' }),
      input: t.arg({ type: UpdateChannelInput, required: true, description: 'What shall change.' }),
    },
    resolve: (_, { id, input }, { caller, domain }) =>
      domain.channels.update(caller, id, {
        type: nullToUndefined(input.type),
        kind: nullToUndefined(input.kind),
        historyMessages: input.history?.messages,
        historySeconds: input.history?.seconds,
      }),
  }),
  deleteChannel: t.field({
    type: ChannelRef,
    description:
      'Removes a channel, its memberships and its messages. For API keys. Throws NOT_FOUND, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The channel’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.channels.remove(caller, id),
  }),
  setChannelState: t.field({
    type: ChannelRef,
    description:
      'Replaces the state of a channel. For API keys, and for tokens that may MODERATE. Throws CONFLICT, NOT_FOUND, FORBIDDEN, PAYLOAD_TOO_LARGE.',
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
      'Merges a patch into the state of a channel, after RFC 7396: objects merge, null removes, the rest replaces. Patches at the same time all count. For API keys, and for tokens that may MODERATE. Throws CONFLICT, NOT_FOUND, FORBIDDEN, PAYLOAD_TOO_LARGE.',
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
      'The channel as it is now, then after each change of its state. For whoever may SUBSCRIBE. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND.',
    args: { ...channelArg },
    subscribe: async (_, { channel }, context) =>
      context.domain.subscriptions.channelState(await context.connect(), channel),
    resolve: (channel) => channel,
  }),
}));
