import { createServer } from 'node:http';
import { PubSub } from 'graphql-subscriptions';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { listen } from './listening.ts';
import { JSON_SCALAR, messageOf, typeDefs, type PublishArguments } from './peer-schema.ts';

/** What Apollo Server's documentation puts beside it for subscriptions: graphql-ws, and graphql-subscriptions' `PubSub`. */
const pubSub = new PubSub();

// Many listeners of one event are the point here.
(pubSub as any).ee.setMaxListeners(0);

const schema = createSchema({
  typeDefs,
  resolvers: {
    JSON: JSON_SCALAR,
    Query: { hello: () => 'hello' },
    Mutation: {
      publishMessage: async (_: unknown, args: PublishArguments) => {
        const message = messageOf(args);
        await pubSub.publish(args.channel, { messages: message });
        return { message };
      },
    },
    Subscription: {
      messages: {
        subscribe: (_: unknown, { channel }: { channel: string }) => pubSub.asyncIterableIterator(channel),
      },
    },
  },
});

const server = createServer();
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
listen(server);
