import { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  GraphQLError,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
  type Source,
} from 'graphql';
import {
  createYoga,
  isAsyncIterable,
  type GraphQLParams,
  type Plugin,
  type YogaInitialContext,
} from 'graphql-yoga';
import { isObject } from '../is-object.ts';
import { type Connection } from '../connections/connection.ts';
import { isSentBy } from '../messages/sender.ts';
import { type Context } from '../schema/context.ts';
import { type Documents } from './documents.ts';
import { type TransportDeps } from './transport-deps.ts';
import { declaredVariables } from './declared-variables.ts';
import { execute } from './execute.ts';
import { authenticateHttpRequest } from './handshake.ts';
import { type HttpConnections } from './http-connections.ts';
import { useHttpStatus } from './http-status.ts';
import { type OperationBudget } from './operation-budget.ts';
import { isAllowedOrigin } from './origins.ts';
import { type PublicError } from './public-errors.ts';
import { type RequestMemory } from './request-memory.ts';
import { eventStreamRefusal, lastEventIdOf, openSse, ticketOf } from './sse.ts';
import { useEventStreams } from './sse-response.ts';

/** The Node objects of a request, which yoga passes to its plugins. */
interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
  /** The retained memory of the request; see `useParams`. */
  memory: RequestMemory;
}

/** Creates the handler for GraphQL over HTTP and SSE: yoga with the documents, errors and callers that WebSockets use too. */
export function createGraphqlHandler(
  {
    schema,
    domain,
    config,
    documents,
    publicError,
    addressOf,
    limiter,
    budget,
    metrics,
    unacknowledged,
  }: TransportDeps,
  connections: HttpConnections,
) {
  const yoga = createYoga<NodeContext, Context>({
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
      if (origin === undefined || !isAllowedOrigin(origin, host, config)) return false;
      return {
        origin: [origin],
        allowedHeaders: ['authorization', 'content-type', 'last-event-id', 'project'],
        methods: ['GET', 'POST'],
      };
    },
    plugins: [
      useContext(async ({ request, req, res }) => {
        const address = addressOf(req);
        const ticket = ticketOf(req);
        const { changes: rightsAsOf } = domain.rights;
        const authenticated =
          ticket === undefined
            ? authenticateHttpRequest(domain, (name) => request.headers.get(name))
            : domain.streamTickets.redeem(ticket);
        const caller = await authenticated.catch((error: unknown) => {
          throw publicError(error, undefined, address);
        });
        let connection: Connection | undefined;
        return {
          domain,
          get caller() {
            return connection?.caller ?? caller;
          },
          rightsAsOf,
          get connection() {
            return connection;
          },
          address,
          isSender: (sender) => isSentBy(sender, connection?.caller ?? caller),
          async connect() {
            if (connection) return connection;
            connection = await openSse({ domain, limiter, metrics, unacknowledged }, caller, address, res);
            connection.since = lastEventIdOf(req);
            connections.leave(req);
            return connection;
          },
        };
      }),
      useUncachedJson(),
      useParams(documents),
      useDocuments(documents, publicError),
      useExecution(budget, publicError),
      useEventStreams(config.pingIntervalMs),
      useStreams(budget, publicError),
      useHttpStatus(),
      useStreamHeaders(),
    ],
  });

  return async (
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    memory: RequestMemory,
  ): Promise<void> => {
    // The body has been read to enforce its limit. Yoga uses `request.body` instead of reading the stream again.
    if (body.length > 0) Object.assign(request, { body });
    await yoga(request, response, { req: request, res: response, memory });
  };
}

/** Extends the context by property descriptors, because yoga's `context` option would copy the values of the getters. */
function useContext(
  createContext: (initial: YogaInitialContext & NodeContext) => Promise<Context>,
): Plugin<Context, NodeContext> {
  return {
    async onContextBuilding({ context }) {
      const extension = await createContext(context as unknown as YogaInitialContext & NodeContext);
      Object.defineProperties(context, Object.getOwnPropertyDescriptors(extension));
    },
  };
}

/**
 * Parses the body without leaving the parsed value on the request. `Request.json()` of yoga caches it, and the request lives as long
 * as its event stream: a body of 54 KB would retain more than 1 MB.
 */
function useUncachedJson(): Plugin {
  return {
    onRequestParse({ request }) {
      Object.defineProperty(request, 'json', {
        value: async () => JSON.parse(await request.text()) as unknown,
      });
    },
  };
}

/** Drops the parameters that the operation does not need, because yoga retains them until the end of an event stream. */
function useParams(documents: Documents): Plugin {
  return {
    onParams({ params, setParams }) {
      const { extensions, variables } = params;
      // Yoga refuses malformed parameters after this, so they stay as they are.
      const needed = isObject(extensions) ? { ...params, extensions: {} } : params;
      const declared = isObject(variables) ? declaredIn(documents, params) : undefined;
      setParams(declared ? { ...needed, variables: declared } : needed);
    },
  };
}

/** The variables that the operation declares. Undefined if the request is malformed, which yoga refuses. */
function declaredIn(documents: Documents, { query, operationName, variables }: GraphQLParams) {
  try {
    return declaredVariables(documents.parse(query ?? ''), operationName, variables ?? {});
  } catch {
    return undefined;
  }
}

function useDocuments(documents: Documents, publicError: PublicError): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source) =>
        documents.parse(typeof source === 'string' ? source : source.body),
      );
    },
    onValidate({ setValidationFn }) {
      // Yoga modifies the errors it receives, and these are cached and shared with WebSockets.
      const copy = ({ message, nodes, extensions }: GraphQLError) =>
        new GraphQLError(message, { nodes: nodes ?? null, extensions: { ...extensions } });
      setValidationFn((_schema: GraphQLSchema, document: DocumentNode) =>
        documents.validate(document).map((error) => publicError(copy(error))),
      );
    },
  };
}

/** Replaces the headers that yoga gives an event stream. */
function useStreamHeaders(): Plugin {
  return {
    onResponse({ response: { headers } }) {
      if (!headers.get('content-type')?.startsWith('text/event-stream')) return;
      // Yoga's `keep-alive` overrides a request to close, so the connection would stay open after the end of the stream.
      headers.delete('connection');
      // `none` is no registered coding, and proxies do not know it.
      headers.delete('content-encoding');
      // Without this header, nginx collects the events in its buffers.
      headers.set('x-accel-buffering', 'no');
    },
  };
}

/** Executes as over WebSocket, so that errors are converted with their caller. */
function useExecution(budget: OperationBudget, publicError: PublicError): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn(
        (args: ExecutionArgs) =>
          refusalOf(args, budget, publicError, (memory) => memory.holdDocument(args.document)) ??
          execute(args, publicErrorFor(args, publicError)),
      );
    },
  };
}

/** Refuses a subscription before its connection opens, or closes the connection if it is refused later. */
function useStreams(budget: OperationBudget, publicError: PublicError): Plugin<Context, NodeContext> {
  return {
    onSubscribe({ args, setResultAndStopExecution }) {
      const { document, variableValues } = args as ExecutionArgs;
      const refusal =
        notAcceptable(args, publicError) ??
        refusalOf(args, budget, publicError, (memory) => memory.holdSubscription(document, variableValues));
      if (refusal) {
        setResultAndStopExecution(refusal);
        return undefined;
      }
      return {
        onSubscribeResult({ result, setResult }) {
          if (isAsyncIterable(result)) return;
          (args.contextValue as Context).connection?.close('CLIENT_LEFT');
          if (result.errors)
            setResult({ ...result, errors: result.errors.map(publicErrorFor(args, publicError)) });
        },
      };
    },
  };
}

/** The refusal, with status 406, of a subscription whose client does not accept an event stream. */
function notAcceptable(
  { contextValue }: ExecutionArgs,
  publicError: PublicError,
): ExecutionResult | undefined {
  const { req, caller } = contextValue as Context & NodeContext;
  const refusal = eventStreamRefusal(req);
  if (!refusal) return undefined;
  const { message, extensions } = publicError(refusal, caller);
  return { errors: [new GraphQLError(message, { extensions: { ...extensions, http: { status: 406 } } })] };
}

/** Takes the cost of an operation from the budget of its caller, and counts its memory. Undefined if it may be executed. */
function refusalOf(
  args: ExecutionArgs,
  budget: OperationBudget,
  publicError: PublicError,
  hold: (memory: RequestMemory) => void,
): ExecutionResult | undefined {
  const context = args.contextValue as Context & NodeContext;
  try {
    hold(context.memory);
    budget.take(context, args.document, args.operationName);
    return undefined;
  } catch (error) {
    return { errors: [publicError(error, context.caller, context.address)] };
  }
}

function publicErrorFor({ contextValue }: { contextValue?: unknown }, publicError: PublicError) {
  const context = contextValue as Context;
  return (error: unknown) => publicError(error, context.caller, context.address);
}
