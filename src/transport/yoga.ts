import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type DocumentNode, type GraphQLSchema, type Source } from 'graphql';
import { createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga';
import { type Config } from '../config.ts';
import { type Connection } from '../connections/connection.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Documents } from './documents.ts';
import { type Doorman } from './doorman.ts';
import { callerOfRequest } from './handshake.ts';
import { type Metrics } from './metrics.ts';
import { isAllowedOrigin } from './origins.ts';
import { type PublicError } from './public-errors.ts';
import { openSse } from './sse.ts';

export interface GraphqlParts {
  schema: GraphQLSchema;
  domain: Domain;
  config: Config;
  documents: Documents;
  publicError: PublicError;
  doorman: Doorman;
  metrics: Metrics;
}

/** What Node hands to yoga along with a request. */
interface NodeParts {
  req: IncomingMessage;
  res: ServerResponse;
}

/** GraphQL over HTTP and SSE: yoga, with our documents, our errors and our callers. */
export function createGraphqlHandler({
  schema,
  domain,
  config,
  documents,
  publicError,
  doorman,
  metrics,
}: GraphqlParts) {
  const yoga = createYoga<NodeParts, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    logging: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError: publicError },
    cors: (request) => {
      const origin = request.headers.get('origin') ?? undefined;
      const host = request.headers.get('host') ?? undefined;
      if (origin === undefined || !isAllowedOrigin(origin, host, config.origins)) return false;
      return {
        origin: [origin],
        allowedHeaders: ['authorization', 'content-type', 'project'],
        methods: ['GET', 'POST'],
      };
    },
    plugins: [useDocuments(documents), useStreams()],
    async context({ request, req }) {
      const caller = await callerOfRequest(domain, request.headers);
      let connection: Connection | undefined;
      return {
        domain,
        get caller() {
          return connection?.caller ?? caller;
        },
        get connection() {
          return connection;
        },
        async connect() {
          connection ??= await openSse({ domain, doorman, metrics }, caller, doorman.addressOf(req));
          return connection;
        },
      };
    },
  });

  return async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    // Read and bounded already; yoga takes what it finds here.
    if (body.length > 0) Object.assign(request, { body });
    await yoga(request, response, { req: request, res: response });
  };
}

function useDocuments(documents: Documents): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source) =>
        documents.parse(typeof source === 'string' ? source : source.body),
      );
    },
    onValidate({ setValidationFn }) {
      setValidationFn((_schema: GraphQLSchema, document: DocumentNode) => documents.validate(document));
    },
  };
}

/** A subscription that was refused has opened a connection for nothing. */
function useStreams(): Plugin<Context> {
  return {
    onSubscribe: ({ args }) => ({
      onSubscribeResult({ result }) {
        if (!isAsyncIterable(result)) (args.contextValue as Context).connection?.close('CLIENT_LEFT');
      },
    }),
  };
}
