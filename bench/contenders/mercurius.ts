import fastify from 'fastify';
import { default as mercurius, type PubSub } from 'mercurius';
import { announce } from './announce-port.ts';
import { JSON_SCALAR, messageOf, typeDefs, type PublishArguments } from './shared-schema.ts';

/** mercurius on fastify, with its own emitter. It accepts mutations over WebSocket, so that all servers publish the same way. */
const app = fastify({ logger: false });

await app.register(mercurius, {
  schema: typeDefs,
  resolvers: {
    JSON: JSON_SCALAR,
    Query: { hello: () => 'hello' },
    Mutation: {
      publishMessage: (_: unknown, args: PublishArguments, { pubsub }: { pubsub: PubSub }) => {
        const message = messageOf(args);
        pubsub.publish({ topic: args.channel, payload: { messages: message } });
        return { message };
      },
    },
    Subscription: {
      messages: {
        subscribe: (_: unknown, { channel }: { channel: string }, { pubsub }: { pubsub: PubSub }) =>
          pubsub.subscribe(channel),
      },
    },
  },
  subscription: { fullWsTransport: true },
});

await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
announce(app.server);
