import { type Member } from '../broker/leases.ts';
import { builder } from './builder.ts';

export const TransportEnum = builder.enumType('Transport', {
  description: 'How a connection reaches us.',
  values: {
    WEBSOCKET: { description: 'A WebSocket with `graphql-transport-ws`.' },
    SSE: { description: 'A stream of server-sent events over HTTP.' },
  } as const,
});

/** A live connection, which is also what a member of a channel is seen as. */
export const ConnectionRef = builder.objectRef<Member>('Connection').implement({
  description: 'One live socket or SSE stream of a caller, as others may see it.',
  fields: (t) => ({
    id: t.exposeID('connectionId', { description: '`conn_…`; an address for `publishDirectMessage`.' }),
    token: t.exposeID('tokenId', {
      nullable: true,
      description: 'The id of its token; null for API keys and anonymous callers.',
    }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The user behind it, where its token names one.',
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'What the backend lets others see of its token.',
    }),
    state: t.expose('state', {
      type: 'JSON',
      nullable: true,
      description: 'What it chose to show, with `setPresence`.',
    }),
    transport: t.expose('transport', { type: TransportEnum, description: 'How it reaches us.' }),
    connectedAt: t.expose('connectedAt', { type: 'DateTime', description: 'When it was acknowledged.' }),
  }),
});
