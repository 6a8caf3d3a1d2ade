/**
 * Handshake: the `graphql-transport-ws` protocol of a session, from `connection_init` to `connection_ack`
 * and for every operation after it.
 * Before this step: `websocket-session`. Next: `handshake` authenticates the `connection_init`; then the domain opens
 * the connection and the session is acknowledged. Subscriptions continue in `fan-out`.
 */
import assert from 'node:assert';
import { GraphQLError, type DocumentNode, type ExecutionArgs } from 'graphql';
import { makeServer, type Context, type Server } from 'graphql-ws';
import { sentenceOf } from '../connections/close-reason.ts';
import { type Connection } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { expiryOf } from '../tokens/caller.ts';
import { closeNameForError, closeNameForReason } from './close-codes.ts';
import { parseConnectionInit } from './connection-init.ts';
import { type TransportDeps } from './transport-deps.ts';
import { declaredVariables } from './declared-variables.ts';
import { inexactNumberOf } from './exact-variables.ts';
import { execute } from './execute.ts';
import { DistinctOperationLimits } from './distinct-operation-limits.ts';
import { subscribe, tooManyOperations } from './fan-out.ts';
import { authenticateConnectionInit } from './handshake.ts';
import { OperationIds } from './operation-id.ts';
import { jsonHeapBytes } from './retained-memory.ts';
import { Operation } from './operation.ts';
import { type WebSocketSession } from './websocket-session.ts';
import { createSharedOperations } from './shared-operation.ts';

type ProtocolContext = Context<Record<string, unknown>, WebSocketSession>;

/** Creates the graphql-ws server: the library handles the protocol; connections, documents and subscriptions are Signalbox's. */
export function createProtocol(deps: TransportDeps): Server<WebSocketSession> {
  const { schema, domain, config, documents, budget, publicError, memory, metrics } = deps;
  const fanOut = {
    sharedOperations: createSharedOperations({ domain, publicError }),
    distinctOperations: new DistinctOperationLimits(config),
    operationIds: new OperationIds(),
    publicError,
    onDelivered: metrics.delivered,
    maxSubscriptions: config.maxOperationsPerConnection,
    untilLive: domain.broker.untilLive,
    rights: domain.rights,
  };

  const publicErrorFor = (session: WebSocketSession) => (error: unknown) =>
    publicError(error, session.connection?.caller, session.address);

  /** The payload of `connection_ack`, or false if the socket has closed in the meantime. */
  async function connect(ctx: ProtocolContext) {
    const init = parseConnectionInit(ctx.extra.takeInit());
    let cursor = '';
    const connection = await domain.connections.open(async () => {
      const caller = await authenticateConnectionInit(domain, init, ctx.extra.misplacedCredential);
      ctx.extra.slot.confirm(caller.kind === 'API_KEY');
      const { projectId } = caller;
      if (init.since !== undefined) domain.cursors.parse(projectId, init.since, 'since');
      // Read before the connection is open: a subscription since this cursor misses nothing that follows.
      cursor = domain.cursors.format(projectId, await domain.broker.head(projectId));
      return caller;
    }, 'WEBSOCKET');
    if (ctx.extra.outbox.isClosed) {
      connection.close('CONNECTION_LOST');
      return false;
    }
    connection.since = init.since;
    acknowledge(ctx.extra, connection);
    const expiresAt = expiryOf(connection.caller);
    return {
      connection: connection.id,
      project: connection.projectId,
      pingIntervalMs: config.pingIntervalMs,
      maxMessageBytes: config.maxMessageBytes,
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
      cursor,
    };
  }

  function acknowledge(session: WebSocketSession, connection: Connection): void {
    session.acknowledge(connection);
    connection.sendQueue = session.outbox;
    connection.onNotice(session);
    connection.setNotifyPeer((reason) => {
      const name = closeNameForReason(reason);
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer(connection.projectId);
      if (name) session.closeWith(name, sentenceOf(reason));
    });
  }

  function prepare(
    { extra: session, subscriptions }: ProtocolContext,
    operationId: string,
  ): ExecutionArgs | readonly GraphQLError[] {
    const incoming = session.takeIncoming();
    assert(incoming?.payload, 'prepare() requires the payload of the operation');
    const { payload } = incoming;
    incoming.payload = undefined;
    const { query, variables, operationName } = payload;
    assert(session.isAcknowledged(), 'prepare() requires an acknowledged session');
    const toPublicError = publicErrorFor(session);
    if (Buffer.byteLength(operationId) > MAX_OPERATION_ID_BYTES) return [toPublicError(operationIdTooLong())];
    const limit = config.maxOperationsPerConnection;
    // Counting open operations is O(n), so recount only when the remaining allowance is used up.
    if (--session.operationAllowance < 0)
      session.operationAllowance = limit - Object.keys(subscriptions).length;
    if (session.operationAllowance < 0) return [toPublicError(tooManyOperations(limit))];
    const inexact = inexactNumberOf(payload);
    if (inexact) return [toPublicError(inexact)];
    try {
      const document = documents.parse(query);
      const errors = documents.validate(document);
      if (errors.length > 0) return errors;
      const contextValue = new Operation(domain, operationId, session);
      // Taken before anything is retained, because it can refuse the operation.
      session.lane.charge(budget.take(contextValue, document, operationName));
      const variableValues = variables && declaredVariables(document, operationName, variables);
      incoming.release = retain(session, document, variableValues);
      return {
        schema,
        document,
        contextValue,
        ...(variableValues && { variableValues }),
        ...(operationName && { operationName }),
      };
    } catch (error) {
      return [error instanceof GraphQLError ? error : toPublicError(error)];
    }
  }

  /** Counts the memory of an operation. The returned function ends the count. @throws LIMIT_EXCEEDED, UNAVAILABLE */
  function retain(
    session: WebSocketSession,
    document: DocumentNode,
    variables: Record<string, unknown> | null | undefined,
  ): () => void {
    const bytes = variables ? jsonHeapBytes(variables) : 0;
    memory.hold(session, bytes);
    try {
      memory.holdDocument(session, document);
    } catch (error) {
      memory.release(session, bytes);
      throw error;
    }
    return () => {
      memory.release(session, bytes);
      memory.releaseDocument(document);
    };
  }

  return makeServer<Record<string, unknown>, WebSocketSession>({
    // The session has a handshake timeout of its own, which includes the authentication.
    connectionInitWaitTimeout: 0,
    async onConnect(ctx) {
      try {
        return await connect(ctx);
      } catch (error) {
        const { message } = publicError(error, undefined, ctx.extra.address);
        ctx.extra.closeWith(closeNameForError(error), message);
        return false;
      }
    },
    onSubscribe: prepare,
    execute: (args) => execute(args, publicErrorFor((args.contextValue as Operation).session)),
    subscribe: (args) => {
      const { id, session } = args.contextValue as Operation;
      return subscribe(fanOut, args, id, session);
    },
    onError: ({ extra }, _id, _payload, errors) =>
      errors.map((error) => publicErrorFor(extra)(error).toJSON()),
  });
}

/** Every frame of an operation contains its id. A UUID has 36 bytes. */
const MAX_OPERATION_ID_BYTES = 128;

function operationIdTooLong(): SignalboxError {
  const limit = MAX_OPERATION_ID_BYTES;
  return new SignalboxError('LIMIT_EXCEEDED', `An operation id may have at most ${limit} bytes.`, { limit });
}
