import { GraphQLError, type ExecutionArgs } from 'graphql';
import { makeServer, type Context, type Server, type SubscribePayload } from 'graphql-ws';
import { REVOKES_ACCESS, type Connection } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';
import { type Caller } from '../tokens/caller.ts';
import { closeNameOf, type CloseName } from './close-codes.ts';
import { type TransportDeps } from './transport-deps.ts';
import { execute } from './execute.ts';
import { subscribe, tooManyOperations, type Receiver } from './fan-out.ts';
import { callerOf } from './handshake.ts';
import { OperationIds } from './operation-id.ts';
import { Operation } from './operation.ts';
import { type WebSocketSession } from './websocket-session.ts';
import { createSharedOperations } from './shared-operation.ts';

type ProtocolContext = Context<Record<string, unknown>, WebSocketSession>;

/** What is said over a WebSocket: graphql-ws, with our connections, our documents and our fan-out. */
export function createProtocol(parts: TransportDeps): Server<WebSocketSession> {
  const { schema, domain, config, documents, publicError, metrics } = parts;
  const fanOut = {
    sharedOperations: createSharedOperations({ domain, publicError }),
    operationIds: new OperationIds(),
    publicError,
    delivered: metrics.delivered,
    maxSubscriptions: config.maxOperationsPerConnection,
  };

  const shownTo = (receiver: Receiver | undefined) => (error: unknown) =>
    publicError(error, receiver?.connection.caller);

  async function open(ctx: ProtocolContext) {
    const connection = await domain.connections.open(whoIs(ctx), 'WEBSOCKET');
    if (ctx.extra.outbox.isClosed) {
      connection.close('CONNECTION_LOST');
      return false;
    }
    welcome(connection, ctx.extra);
    return { connection: connection.id, project: connection.projectId };
  }

  /** Takes the credential along: the protocol would hold it for as long as the socket lives. */
  function whoIs(ctx: ProtocolContext): () => Promise<Caller> {
    const { connectionParams = {} } = ctx;
    Object.assign(ctx, { connectionParams: undefined });
    return () => callerOf(domain, connectionParams);
  }

  function welcome(connection: Connection, peer: WebSocketSession): void {
    const { outbox, address } = peer;
    peer.receive({ connection, outbox, address, tail: undefined, pending: 0, subscriptions: 0 });
    connection.onNotice((notice) => {
      // What was queued in this turn and not written is not the bearer's any more.
      if (notice.kind === 'DISCONNECTING' && REVOKES_ACCESS.has(notice.reason)) outbox.discard();
    });
    connection.onNotifyPeer((reason) => {
      const name = closeNameOf(reason);
      if (reason === 'SLOW_CONSUMER') metrics.slowConsumer();
      if (name) peer.end(name);
    });
  }

  function prepare(
    { extra: peer, subscriptions }: ProtocolContext,
    operationId: string,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    const { query, variables, operationName } = payload;
    const { receiver } = peer;
    if (!receiver) throw new TypeError('An operation came before its connection.');
    if (Buffer.byteLength(operationId) > MAX_OPERATION_ID_BYTES) return [shownTo(receiver)(longId())];
    const limit = config.maxOperationsPerConnection;
    // To count what is open costs as much as there is; so many may begin before it has to be counted again.
    if (--peer.mayBegin < 0) peer.mayBegin = limit - Object.keys(subscriptions).length;
    if (peer.mayBegin < 0) return [shownTo(receiver)(tooManyOperations(limit))];
    try {
      const document = documents.parse(query);
      // The protocol holds what was asked for as long as it runs: let it be the one text that we have of it.
      Object.assign(payload, { query: document.loc?.source.body ?? query });
      const errors = documents.validate(document);
      if (errors.length > 0) return errors;
      return {
        schema,
        document,
        contextValue: new Operation(domain, operationId, receiver),
        ...(variables && { variableValues: variables }),
        ...(operationName && { operationName }),
      };
    } catch (error) {
      return [error instanceof GraphQLError ? error : shownTo(receiver)(error)];
    }
  }

  return makeServer<Record<string, unknown>, WebSocketSession>({
    connectionInitWaitTimeout: 0,
    async onConnect(ctx) {
      try {
        return await open(ctx);
      } catch (error) {
        publicError(error);
        ctx.extra.end(closeNameOfRefusal(error));
        return false;
      }
    },
    onSubscribe: prepare,
    execute: (args) => execute(args, shownTo((args.contextValue as Operation).receiver)),
    subscribe: (args) => {
      const { operationId, receiver } = args.contextValue as Operation;
      return subscribe(fanOut, args, operationId, receiver);
    },
    onError: ({ extra }, _id, _payload, errors) =>
      errors.map((error) => shownTo(extra.receiver)(error).toJSON()),
  });
}

/** It stands in every frame of its operation. A UUID has 36. */
const MAX_OPERATION_ID_BYTES = 128;

function longId(): SignalboxError {
  const limit = MAX_OPERATION_ID_BYTES;
  return new SignalboxError('LIMIT_EXCEEDED', `The id of an operation may have at most ${limit} bytes.`, {
    limit,
  });
}

/** The close that answers a refused `connection_init`. */
function closeNameOfRefusal(error: unknown): CloseName {
  if (!(error instanceof SignalboxError)) return 'FAULT';
  switch (error.code) {
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REVOKED':
      return 'RENEW';
    case 'LIMIT_EXCEEDED':
    case 'RATE_LIMITED':
    case 'UNAVAILABLE':
      return 'OVERLOAD';
    default:
      return 'UNAUTHENTICATED';
  }
}
