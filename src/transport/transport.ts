import { type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type NewId } from '../ids.ts';
import { type Domain } from '../schema/context.ts';
import { createSchema } from '../schema/schema.ts';
import { createDocuments } from './documents.ts';
import { createConnectionLimiter } from './connection-limiter.ts';
import { createGraphiql } from './graphiql.ts';
import { createHttpServer } from './http.ts';
import { type Metrics } from './metrics.ts';
import { createPublicError } from './public-errors.ts';
import { auditRefusal } from './audit-refusal.ts';
import { createWebSockets } from './websocket.ts';
import { createRedactMessage } from './redact-message.ts';

/** The doors. Disposing drains them: no new work, live sockets are told, what is in flight is finished. */
export interface Transport extends AsyncDisposable {
  /** `http://<host>:<port>` */
  readonly url: string;
}

/** Opens the doors. @throws when the port is taken */
export async function openTransport(parts: {
  domain: Domain;
  config: Config;
  clock: Clock;
  newId: NewId;
  metrics: Metrics;
  onFault: (error: unknown, errorId?: string) => void;
}): Promise<Transport> {
  const { domain, config, clock, newId, metrics, onFault } = parts;
  let isReady = true;
  const isOn = (setting: 'auto' | 'on' | 'off') =>
    setting === 'on' || (setting === 'auto' && config.mode !== 'production');
  const schema = createSchema();
  const showsSchema = isOn(config.introspection);
  const wording = createRedactMessage(showsSchema);
  const publicError = createPublicError({
    newId,
    wording,
    refused: (refusal) => {
      metrics.refused(refusal.code);
      auditRefusal(domain.audit, refusal);
    },
    fault: (errorId, error) => onFault(error, errorId),
  });
  const documents = createDocuments(schema, config, { showsSchema, wording });
  const limiter = createConnectionLimiter(config, clock);
  const graphiql = isOn(config.graphiql) ? createGraphiql() : undefined;
  const shared = { schema, domain, config, documents, publicError, limiter, metrics, onFault };
  const server = createHttpServer({ ...shared, graphiql, isReady: () => isReady });
  const webSockets = createWebSockets(shared);
  const answering = new Set<ServerResponse>();
  server.prependListener('request', (_request, response: ServerResponse) => {
    response.shouldKeepAlive &&= isReady;
    answering.add(response);
    response.once('close', () => answering.delete(response));
  });
  server.on('upgrade', (request, socket, head) => {
    if (isReady) webSockets.upgrade(request, socket, head);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;

  return {
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      isReady = false;
      const closed = new Promise((resolve) => server.close(resolve));
      // Whoever is answered from now on is not kept waiting for another request.
      const answered = [...answering].map((response) => {
        response.shouldKeepAlive = false;
        return new Promise((resolve) => response.once('close', resolve));
      });
      domain.connections.drain();
      await webSockets[Symbol.asyncDispose]();
      await Promise.all(answered);
      // What is left has asked for nothing: browsers open sockets ahead of their requests.
      server.closeAllConnections();
      await closed;
    },
  };
}
