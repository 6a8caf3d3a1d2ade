import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { listen } from './announce-port.ts';
import {
  JSON_SCALAR,
  messageOf,
  typeDefs,
  type SharedMessage,
  type PublishArguments,
} from './shared-schema.ts';

/** graphql-yoga and graphql-ws, combined as in Yoga's documentation, with Yoga's `createPubSub`. */
const eventTarget = new EventTarget();
// Avoid the warning about a leak: the benchmark adds thousands of listeners.
setMaxListeners(0, eventTarget);
const pubSub = createPubSub<Record<`messages:${string}`, [SharedMessage]>>({ eventTarget });

const schema = createSchema({
  typeDefs,
  resolvers: {
    JSON: JSON_SCALAR,
    Query: { hello: () => 'hello' },
    Mutation: {
      publishMessage: (_: unknown, args: PublishArguments) => {
        const message = messageOf(args);
        pubSub.publish(`messages:${args.channel}`, message);
        return { message };
      },
    },
    Subscription: {
      messages: {
        subscribe: (_: unknown, { channel }: { channel: string }) => pubSub.subscribe(`messages:${channel}`),
        resolve: (message: SharedMessage) => message,
      },
    },
  },
});

const yoga = createYoga({ schema, logging: false, graphiql: false });
// eslint-disable-next-line @typescript-eslint/no-misused-promises -- as Yoga's documentation has it
const server = createServer(yoga);
const wss = new WebSocketServer({ server, path: yoga.graphqlEndpoint });

// A type alias, because an interface has no implicit index signature.
type Extra = { socket: unknown; request: IncomingMessage };

useServer<Record<string, unknown>, Extra>(
  {
    execute: (args: any) => args.rootValue.execute(args),
    subscribe: (args: any) => args.rootValue.subscribe(args),
    async onSubscribe(ctx, _id, params) {
      const enveloped = yoga.getEnveloped({
        ...ctx,
        req: ctx.extra.request,
        socket: ctx.extra.socket,
        params,
      });
      const args = {
        schema: enveloped.schema,
        operationName: params.operationName,
        document: enveloped.parse(params.query),
        variableValues: params.variables,
        contextValue: await enveloped.contextFactory(),
        rootValue: { execute: enveloped.execute, subscribe: enveloped.subscribe },
      };
      const errors = enveloped.validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  wss,
);

listen(server);
