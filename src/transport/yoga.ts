import { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  GraphQLError,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
  type Source,
} from 'graphql';
import { createYoga, isAsyncIterable, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import { type Connection } from '../connections/connection.ts';
import { type Context } from '../schema/context.ts';
import { type Documents } from './documents.ts';
import { type TransportDeps } from './transport-deps.ts';
import { execute } from './execute.ts';
import { callerOfRequest } from './handshake.ts';
import { useHttpStatus } from './http-status.ts';
import { isAllowedOrigin } from './origins.ts';
import { type PublicError } from './public-errors.ts';
import { openSse } from './sse.ts';

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
  limiter,
  metrics,
}: TransportDeps) {
  const yoga = createYoga<NodeParts, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    logging: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError: (error) => publicError(error) },
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
    plugins: [
      useContext(async ({ request, req, res }) => {
        const caller = await callerOfRequest(domain, (name) => request.headers.get(name));
        let connection: Connection | undefined;
        return {
          domain,
          get caller() {
            return connection?.caller ?? caller;
          },
          get connection() {
            return connection;
          },
          address: limiter.addressOf(req),
          async connect() {
            connection ??= await openSse({ domain, limiter, metrics }, caller, limiter.addressOf(req), res);
            return connection;
          },
        };
      }),
      useDocuments(documents, publicError),
      useExecution(publicError),
      useStreams(publicError),
      useHttpStatus(),
    ],
  });

  return async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    // Read and bounded already; yoga takes what it finds here.
    if (body.length > 0) Object.assign(request, { body });
    await yoga(request, response, { req: request, res: response });
  };
}

/** The context as it was made, getters and all: yoga’s own option copies what they yield when the request comes. */
function useContext(
  make: (initial: YogaInitialContext & NodeParts) => Promise<Context>,
): Plugin<Context, NodeParts> {
  return {
    async onContextBuilding({ context }) {
      const made = await make(context as unknown as YogaInitialContext & NodeParts);
      Object.defineProperties(context, Object.getOwnPropertyDescriptors(made));
    },
  };
}

function useDocuments(documents: Documents, publicError: PublicError): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source) =>
        documents.parse(typeof source === 'string' ? source : source.body),
      );
    },
    onValidate({ setValidationFn }) {
      // Yoga writes into the errors that it is given; these are kept for the next time, by WebSocket too.
      const copy = ({ message, nodes, extensions }: GraphQLError) =>
        new GraphQLError(message, { nodes: nodes ?? null, extensions: { ...extensions } });
      setValidationFn((_schema: GraphQLSchema, document: DocumentNode) =>
        documents.validate(document).map((error) => publicError(copy(error))),
      );
    },
  };
}

/** The same way of executing as over WebSocket, where the caller is known. */
function useExecution(publicError: PublicError): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs) => execute(args, shownTo(args, publicError)));
    },
  };
}

/** A subscription that was refused has opened a connection for nothing. */
function useStreams(publicError: PublicError): Plugin<Context> {
  return {
    onSubscribe: ({ args }) => ({
      onSubscribeResult({ result, setResult }) {
        if (isAsyncIterable(result)) return;
        (args.contextValue as Context).connection?.close('CLIENT_LEFT');
        if (result.errors) setResult({ ...result, errors: result.errors.map(shownTo(args, publicError)) });
      },
    }),
  };
}

function shownTo({ contextValue }: { contextValue?: unknown }, publicError: PublicError) {
  return (error: unknown) => publicError(error, (contextValue as Context).caller);
}
