import { STREAM_TICKET_SECONDS, type StreamTicket } from '../tokens/stream-tickets.ts';
import { builder } from './builder.ts';

const StreamTicketRef = builder.objectRef<StreamTicket>('StreamTicket').implement({
  description: 'A ticket that opens one event stream as the token that requested it.',
  fields: (t) => ({
    ticket: t.exposeString('ticket', {
      description: 'For the parameter `ticket` of the URL of an `EventSource`. It can be used once.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: `When the ticket expires: ${STREAM_TICKET_SECONDS} seconds after it was created.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  createStreamTicket: t.field({
    type: StreamTicketRef,
    description:
      'Creates a ticket for an `EventSource`, which cannot send a credential: `GET /graphql?query=subscription…&ticket=…` opens one event stream as the calling token. For tokens. Throws UNAUTHENTICATED, LIMIT_EXCEEDED, UNAVAILABLE.',
    resolve: (_, __, { caller, domain }) => domain.streamTickets.create(caller),
  }),
}));
