import { listConnections, type LiveConnection } from '../connections/live-connections.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ConnectionRef, TransportEnum } from './connection.ts';
import { forwardArgs, relayConnection, toPageRequest, readRelayConnection } from './paging.ts';

const LiveConnectionRef = builder.objectRef<LiveConnection>('LiveConnection').implement({
  description: 'A live connection, as operators see it.',
  fields: (t) => ({
    connection: t.field({
      type: ConnectionRef,
      description: 'The connection, as members of a channel see it.',
      resolve: ({ member }) => member,
    }),
    node: t.id({
      description: 'The id of the node that holds the connection; a new one at each start.',
      resolve: ({ member }) => member.nodeId,
    }),
    channels: t.idList({
      description:
        'The ids of the channels in which the connection is present, sorted. An API key that is limited to some channels sees only those.',
      resolve: ({ channelIds }) => channelIds,
    }),
    subscriptions: t.int({
      nullable: true,
      description: 'The number of its open subscriptions; null for a connection of another node.',
      resolve: ({ local }) => local?.subscriptions ?? null,
    }),
    queuedBytes: t.int({
      nullable: true,
      description:
        'The number of bytes that are queued for the connection; a high number indicates a slow client. Null over SSE and for a connection of another node.',
      resolve: ({ local }) => local?.queuedBytes ?? null,
    }),
    cursor: t.field({
      type: 'Cursor',
      nullable: true,
      description:
        'The position in the log up to which all of its subscriptions have been served. Null when none reads the log, and for a connection of another node.',
      // Only here: on PostgreSQL, it is a query for each connection.
      async resolve({ member: { projectId }, local }, _, { domain: { broker, cursors } }) {
        if (local?.sequence === undefined) return null;
        return cursors.format(projectId, await broker.positionAt(projectId, local.sequence));
      },
    }),
    isCaughtUp: t.boolean({
      nullable: true,
      description:
        'Whether its subscriptions receive new messages; false while one of them still replays older ones. Null for a connection of another node.',
      resolve: ({ local }) => local?.isCaughtUp ?? null,
    }),
  }),
});

const LiveConnectionConnection = relayConnection('LiveConnection', LiveConnectionRef);

builder.queryFields((t) => ({
  connections: t.field({
    type: LiveConnectionConnection,
    description:
      'The live connections of the project on all nodes, sorted by id, which is the order in which they were opened. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: {
      channel: t.arg.id({ description: 'Only connections that are present in this channel.' }),
      token: t.arg.id({ description: 'Only connections of this token.' }),
      identity: t.arg.string({ description: 'Only connections of this identity.' }),
      transport: t.arg({ type: TransportEnum, description: 'Only connections over this transport.' }),
      ...forwardArgs,
    },
    async resolve(_, { channel, token, identity, transport, ...args }, { caller, domain }) {
      const filter = {
        channelId: nullToUndefined(channel),
        tokenId: nullToUndefined(token),
        identity: nullToUndefined(identity),
        transport: nullToUndefined(transport),
      };
      const { broker, connections } = domain;
      return readRelayConnection(
        toPageRequest(args),
        (page) => listConnections({ broker, connections }, caller, page, filter),
        ({ member }) => member.connectionId,
      );
    },
  }),
}));
