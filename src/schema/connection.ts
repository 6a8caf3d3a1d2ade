import { type Member } from '../broker/leases.ts';
import { builder } from './builder.ts';

export const TransportEnum = builder.enumType('Transport', {
  description: 'The transport of a connection.',
  values: {
    WEBSOCKET: { description: 'A WebSocket with the subprotocol `graphql-transport-ws`.' },
    SSE: { description: 'A stream of server-sent events over HTTP.' },
  } as const,
});

/** A live connection. Members of a channel are shown as connections, too. */
export const ConnectionRef = builder.objectRef<Member>('Connection').implement({
  description: 'One live WebSocket or SSE stream of a caller, with the fields that other callers may see.',
  fields: (t) => ({
    id: t.exposeID('connectionId', {
      description: '`conn_…`; pass it to `publishDirectMessage` as `connection`.',
    }),
    token: t.exposeID('tokenId', {
      nullable: true,
      description: 'The id of the token of the connection; null for API keys and anonymous callers.',
    }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The identity of the token, if it has one.',
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'Public text about the token; see `Token.connectionData`.',
    }),
    state: t.expose('state', {
      type: 'JSON',
      nullable: true,
      description:
        'The presence state of the connection, set with `setPresence`. Null in a channel in which the connection may not PUBLISH.',
    }),
    transport: t.expose('transport', {
      type: TransportEnum,
      description: 'The transport of the connection.',
    }),
    connectedAt: t.expose('connectedAt', {
      type: 'DateTime',
      description: 'When the connection was acknowledged.',
    }),
  }),
});
