import { createServer } from 'node:http';
import { PubSub } from 'graphql-subscriptions';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { listen } from './announce-port.ts';
import { JSON_SCALAR, messageOf, typeDefs, type PublishArguments } from './shared-schema.ts';

/** The subscription stack of Apollo Server's documentation: graphql-ws, and `PubSub` of graphql-subscriptions. */
const pubSub = new PubSub();

// Avoid the warning about a leak: the benchmark adds thousands of listeners.
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
