import { SignalboxError } from '../errors.ts';
import { decideAccess, targetOf } from '../channels/access.ts';
import { allowedActions } from '../tokens/authorisation.ts';
import { type Caller } from '../tokens/caller.ts';
import { builder } from './builder.ts';
import { ChannelRef } from './channel.ts';
import { ConnectionRef } from './connection.ts';
import { ActionEnum } from './enums.ts';
import { historyArgs, MessageConnection, toMessagePage } from './message.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';
import { ApiKeyRef } from './project.ts';
import { TokenRef } from './token.ts';

const CallerKindEnum = builder.enumType('CallerKind', {
  description: 'Who is asking.',
  values: {
    API_KEY: { description: 'A backend.' },
    TOKEN: { description: 'A client with a token.' },
    ANONYMOUS: { description: 'Someone who presented nothing.' },
  } as const,
});

const ViewerChannelConnection = relayConnection('ViewerChannel', ChannelRef);

const ViewerRef = builder.objectRef<Caller>('Viewer').implement({
  description: 'Who you are to us.',
  fields: (t) => ({
    kind: t.expose('kind', { type: CallerKindEnum, description: 'What kind of caller.' }),
    project: t.exposeID('projectId', { description: 'The project that all of this happens in.' }),
    token: t.field({
      type: TokenRef,
      nullable: true,
      description: 'Your token, as it is now; null without one.',
      resolve: (viewer) => (viewer.kind === 'TOKEN' ? viewer.token : null),
    }),
    apiKey: t.field({
      type: ApiKeyRef,
      nullable: true,
      description: 'Your API key; null without one.',
      resolve: (viewer) => (viewer.kind === 'API_KEY' ? viewer.apiKey : null),
    }),
    connection: t.field({
      type: ConnectionRef,
      nullable: true,
      description: 'The live socket that you ask by; null over plain HTTP.',
      resolve: (_, __, { connection }) => connection?.asMember() ?? null,
    }),
    allowedActions: t.field({
      type: [ActionEnum],
      description: 'What you may do in a channel; nothing where there is no such channel.',
      args: { channel: t.arg.id({ required: true, description: 'The channel’s id.' }) },
      async resolve(viewer, { channel: id }, { domain }) {
        const encounter = await domain.channels.access.lookup(viewer, id);
        if (!encounter) return [];
        return allowedActions(viewer, targetOf(encounter));
      },
    }),
    channels: t.field({
      type: ViewerChannelConnection,
      description: 'The channels that your token is subscribed to and may hear now.',
      args: { ...forwardArgs },
      async resolve(viewer, args, { domain }) {
        const page = toPageRequest(args);
        if (viewer.kind !== 'TOKEN') return toRelayConnection({ items: [], hasMore: false }, page, () => '');
        const { items, hasMore } = await domain.memberships.listOfToken(
          viewer.projectId,
          viewer.token.id,
          page,
        );
        const met = await Promise.all(
          items.map(({ channelId }) => domain.channels.access.lookup(viewer, channelId)),
        );
        const heard = met.filter(
          (encounter) => encounter && decideAccess(viewer, 'SUBSCRIBE', encounter).allowed,
        );
        const channels = heard.flatMap((encounter) => encounter?.channel ?? []);
        return toRelayConnection({ items: channels, hasMore }, page, ({ id }) => id);
      },
    }),
    directMessages: t.field({
      type: MessageConnection,
      description:
        'What was said directly to your token and its identity, as far as it is kept: what waited while you were away. Throws UNAUTHENTICATED without a token.',
      args: { ...historyArgs },
      async resolve(viewer, args, { domain }) {
        return toMessagePage(await domain.history.ofDirectMessages(viewer, args), domain.cursors);
      },
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: ViewerRef,
    description: 'Who am I? For anyone.',
    resolve: (_, __, { caller }) => caller,
  }),
}));

builder.mutationFields((t) => ({
  reauthenticate: t.field({
    type: ViewerRef,
    description:
      'Presents a new credential of the same token on the live socket, without a reconnect; every subscription goes on under what the token may do now. Throws FORBIDDEN for another token, UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED, BAD_USER_INPUT over plain HTTP.',
    args: { credential: t.arg.string({ required: true, description: 'The new credential.' }) },
    async resolve(_, { credential }, { connection, domain }) {
      if (!connection) throw new SignalboxError('BAD_USER_INPUT', 'reauthenticate needs a live socket.');
      await domain.connections.reauthenticate(connection, credential);
      return connection.caller;
    },
  }),
}));
