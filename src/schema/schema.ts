import './scalars.ts';
import './api-key.ts';
import './project.ts';
import './settings.ts';
import './issuer.ts';
import './token.ts';
import './guest.ts';
import './stream-ticket.ts';
import './revocation.ts';
import './permission.ts';
import './channel.ts';
import './membership.ts';
import './message.ts';
import './event.ts';
import './presence.ts';
import './live-connection.ts';
import './stats.ts';
import './activity.ts';
import './delivery.ts';
import './moderation.ts';
import './viewer.ts';
import { type GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';

/** The whole API. */
export function createSchema(): GraphQLSchema {
  return builder.toSchema();
}
