import { randomUUID } from 'node:crypto';
import { GraphQLScalarType } from 'graphql';

/** The measured part of Signalbox's schema, for the other GraphQL servers. */
export const typeDefs = /* GraphQL */ `
  scalar JSON
  type Query {
    hello: String!
  }
  type Mutation {
    publishMessage(channel: ID!, event: String!, data: JSON): Receipt!
  }
  type Subscription {
    messages(channel: ID!): Message!
  }
  type Receipt {
    message: Message!
  }
  type Message {
    id: ID!
    channel: ID
    event: String!
    data: JSON
    publishedAt: String!
  }
`;

/** The message that is published and delivered. */
export interface SharedMessage {
  id: string;
  channel: string;
  event: string;
  data: unknown;
  publishedAt: string;
}

export interface PublishArguments {
  channel: string;
  event: string;
  data?: unknown;
}

export const JSON_SCALAR = new GraphQLScalarType({ name: 'JSON' });

export function messageOf({ channel, event, data }: PublishArguments): SharedMessage {
  return { id: randomUUID(), channel, event, data, publishedAt: new Date().toISOString() };
}
