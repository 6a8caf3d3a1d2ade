import { type Channel } from '../channels/channel.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { SignalboxError } from '../errors.ts';
import { decideAccess, targetOf } from '../channels/access.ts';
import { allowedActions } from '../tokens/authorization.ts';
import { type Caller } from '../tokens/caller.ts';
import { builder } from './builder.ts';
import { ChannelRef } from './channel.ts';
import { ConnectionRef } from './connection.ts';
import { ActionEnum } from './enums.ts';
import { historyArgs, MessageConnection, toMessagePage } from './message.ts';
import { relayConnection, forwardArgs, readRelayConnection, selectedPage, toPageRequest } from './paging.ts';
import { ApiKeyRef } from './api-key.ts';
import { TokenRef } from './token.ts';

const CallerKindEnum = builder.enumType('CallerKind', {
  description: 'The kind of a caller.',
  values: {
    API_KEY: { description: 'A backend with an API key.' },
    TOKEN: { description: 'A client with a token.' },
    ANONYMOUS: { description: 'A caller without a credential.' },
  } as const,
});

const ViewerChannelConnection = relayConnection('ViewerChannel', ChannelRef);

const ViewerRef = builder.objectRef<Caller>('Viewer').implement({
  description: 'The calling client or backend.',
  fields: (t) => ({
    kind: t.expose('kind', { type: CallerKindEnum, description: 'The kind of the caller.' }),
    project: t.exposeID('projectId', { description: 'The id of the project of the caller.' }),
    token: t.field({
      type: TokenRef,
      nullable: true,
      description: 'The token of the caller with its current values; null without a token.',
      resolve: (viewer) => (viewer.kind === 'TOKEN' ? viewer.token : null),
    }),
    apiKey: t.field({
      type: ApiKeyRef,
      nullable: true,
      description: 'The API key of the caller; null without an API key.',
      resolve: (viewer) => (viewer.kind === 'API_KEY' ? viewer.apiKey : null),
    }),
    connection: t.field({
      type: ConnectionRef,
      nullable: true,
      description: 'The live connection that carries the request; null over plain HTTP.',
      resolve: (_, __, { connection }) => connection?.asMember() ?? null,
    }),
    address: t.string({
      description:
        'The network address for which the limits of this caller count; for IPv6 its prefix. Behind proxies it is right only with `SIGNALBOX_TRUSTED_PROXIES`.',
      resolve: (_, __, { address }) => address,
    }),
    allowedActions: t.field({
      type: [ActionEnum],
      description: 'The actions that the caller may take in a channel; empty if the channel does not exist.',
      args: { channel: t.arg.id({ required: true, description: 'The channel’s id.' }) },
      async resolve(viewer, { channel: id }, { domain }) {
        const access = await domain.channels.access.lookup(viewer, id);
        return access ? allowedActions(viewer, targetOf(access)) : [];
      },
    }),
    channels: t.field({
      type: ViewerChannelConnection,
      description: 'The channels that the token of the caller is subscribed to and may receive now.',
      args: { ...forwardArgs },
      async resolve(viewer, args, { domain }) {
        const read = async (page: PageRequest): Promise<Page<Channel>> => {
          if (viewer.kind !== 'TOKEN') return { items: [], hasMore: false };
          const { projectId, token } = viewer;
          return selectedPage(
            page,
            (part) => domain.memberships.listOfToken(projectId, token.id, part),
            ({ channelId }) => channelId,
            async ({ channelId }) => {
              const access = await domain.channels.access.lookup(viewer, channelId);
              return access && decideAccess(viewer, 'SUBSCRIBE', access).allowed ? access.channel : undefined;
            },
          );
        };
        return readRelayConnection(toPageRequest(args), read, ({ id }) => id);
      },
    }),
    directMessages: t.field({
      type: MessageConnection,
      description:
        'The direct messages to the token of the caller and to its identity that the log still holds. Throws UNAUTHENTICATED without a token.',
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
    description: 'The caller itself. For anyone.',
    resolve: (_, __, { caller }) => caller,
  }),
}));

builder.mutationFields((t) => ({
  reauthenticate: t.field({
    type: ViewerRef,
    description:
      'Presents a new credential of the same token on the live connection, without a reconnect. All subscriptions continue with the current rights of the token. Throws FORBIDDEN for the credential of another token, UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED, BAD_USER_INPUT over plain HTTP.',
    args: { credential: t.arg.string({ required: true, description: 'The new credential.' }) },
    async resolve(_, { credential }, { connection, domain }) {
      if (!connection)
        throw new SignalboxError(
          'BAD_USER_INPUT',
          'reauthenticate needs a live connection. Call it over the WebSocket.',
        );
      await domain.connections.reauthenticate(connection, credential);
      return connection.caller;
    },
  }),
}));
