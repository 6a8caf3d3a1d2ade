import { type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type NewId } from '../ids.ts';
import { type Domain } from '../schema/context.ts';
import { startMutationsByCurrentRights } from '../schema/current-caller.ts';
import { readPagesInTurns } from '../schema/paging.ts';
import { createSchema } from '../schema/schema.ts';
import { createConsole } from './console.ts';
import { createDocuments } from './documents.ts';
import { createConnectionLimiter } from './connection-limiter.ts';
import { isExhaustion, watchFileDescriptors } from './file-descriptors.ts';
import { createGraphiql } from './graphiql.ts';
import { createHttpServer } from './http.ts';
import { type Metrics } from './metrics.ts';
import { createAddressOf } from './network-address.ts';
import { createOperationBudget } from './operation-budget.ts';
import { createPublicError } from './public-errors.ts';
import { createWebSockets } from './websocket.ts';
import { createRedactMessage } from './redact-message.ts';
import { RetainedMemory } from './retained-memory.ts';
import { createUnacknowledgedBytes } from './unacknowledged.ts';

/**
 * The HTTP, SSE and WebSocket transports on one port. Disposing drains them: new requests are refused, open connections
 * are closed with a reason, and running requests are completed.
 */
export interface Transport extends AsyncDisposable {
  /** `http://<host>:<port>` */
  readonly url: string;
  /** From now on `/ready` answers 503; everything else continues as usual until the transport is disposed. */
  announceDrain(): void;
}

/** Starts to listen on `config.host` and `config.port`. Rejects with the error of Node if the port is in use. */
export async function openTransport(deps: {
  domain: Domain;
  config: Config;
  clock: Clock;
  newId: NewId;
  metrics: Metrics;
  onFault: (error: unknown, errorId?: string) => void;
  /** Logs a sentence for the operator about the machine; `isOver`: the state that it describes has ended. */
  onMachineProblem: (sentence: string, isOver: boolean) => void;
}): Promise<Transport> {
  const { domain, config, clock, newId, metrics, onFault, onMachineProblem } = deps;
  /** False from `announceDrain` on. */
  let isWanted = true;
  let isReady = true;
  const isEnabled = (setting: 'auto' | 'on' | 'off') =>
    setting === 'on' || (setting === 'auto' && config.mode !== 'production');
  const schema = startMutationsByCurrentRights(readPagesInTurns(createSchema()));
  const showsSchema = isEnabled(config.introspection);
  const redactMessage = createRedactMessage(showsSchema);
  const publicError = createPublicError({
    newId,
    redactMessage,
    onRefused: domain.refusals.report,
    onFault: (errorId, error) => onFault(error, errorId),
  });
  const documents = createDocuments(schema, config, { showsSchema, redactMessage });
  const limiter = createConnectionLimiter(config, clock);
  const memory = new RetainedMemory(config);
  metrics.observeRetainedBytes(() => memory.totalBytes);
  const budget = createOperationBudget(config, clock);
  const graphiql = isEnabled(config.graphiql) ? createGraphiql() : undefined;
  const console = isEnabled(config.console) ? createConsole() : undefined;
  // Twice per heartbeat: a peer that vanished is noticed within two heartbeats.
  const unacknowledged = createUnacknowledgedBytes(config.pingIntervalMs / 2);
  const shared = {
    schema,
    domain,
    config,
    documents,
    publicError,
    addressOf: createAddressOf(config),
    limiter,
    memory,
    budget,
    metrics,
    unacknowledged,
    onFault,
  };
  const server = createHttpServer({
    ...shared,
    graphiql,
    console,
    machineProblem: () => descriptors.problem(),
    isReady: () => isReady,
    isWanted: () => isWanted && isReady,
  });
  const webSockets = createWebSockets({ ...shared, hasRoom: () => descriptors.hasRoom() });
  const openResponses = new Set<ServerResponse>();
  const begin = (response: ServerResponse) => {
    response.shouldKeepAlive &&= isReady && isWanted;
    openResponses.add(response);
    response.once('close', () => openResponses.delete(response));
  };
  server.prependListener('request', (_request, response: ServerResponse) => {
    // A pipelined request waits for its turn.
    if (response.socket) begin(response);
    else response.once('socket', () => begin(response));
  });
  server.on('upgrade', (request, socket, head) => {
    if (isReady) webSockets.upgrade(request, socket, head);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  // Accepting can fail while the process has no file descriptors left. Without a listener, that would end the process.
  server.on('error', (error) => (isExhaustion(error) ? metrics.connectionDropped() : onFault(error)));
  const descriptors = watchFileDescriptors(server, {
    onDropped: metrics.connectionDropped,
    onChange(problem) {
      metrics.descriptorsExhausted(problem !== undefined);
      onMachineProblem(
        problem ?? 'The process has enough file descriptors again; connections are accepted.',
        problem === undefined,
      );
    },
  });
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;

  return {
    url: `http://${host}:${port}`,
    announceDrain: () => void (isWanted = false),
    async [Symbol.asyncDispose]() {
      isReady = false;
      descriptors[Symbol.dispose]();
      const closed = new Promise((resolve) => server.close(resolve));
      // Running responses close their connections, which would otherwise stay open for another request.
      const answered = [...openResponses].map((response) => {
        response.shouldKeepAlive = false;
        return new Promise((resolve) => response.once('close', resolve));
      });
      await domain.connections.drain();
      await webSockets[Symbol.asyncDispose]();
      await Promise.all(answered);
      // The remaining sockets have sent no request. Browsers open such sockets in advance.
      server.closeAllConnections();
      await closed;
      unacknowledged[Symbol.dispose]();
    },
  };
}
