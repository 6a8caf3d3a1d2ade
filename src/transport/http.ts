import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SignalboxError } from '../errors.ts';
import { type TransportDeps } from './transport-deps.ts';
import { type createConsole } from './console.ts';
import { type createGraphiql } from './graphiql.ts';
import { hostRefused, isAllowedHost } from './hosts.ts';
import { limitHttpConnections } from './http-connections.ts';
import { inexactNumberOfRequest } from './exact-variables.ts';
import { createJsonPost } from './json-post.ts';
import { acceptProblem, mediaTypeProblem } from './media-type.ts';
import { PipelinedRequests } from './pipelined-requests.ts';
import { hasCredentialInUrl, isAllowedOrigin, originRefused, parseRequestUrl } from './origins.ts';
import { RequestMemory } from './request-memory.ts';
import { jsonTextHeapBytes } from './retained-memory.ts';
import { setRetryAfter } from './retry-after.ts';
import { createUnreadResponses } from './unread-responses.ts';
import { createGraphqlHandler } from './yoga.ts';

export interface HttpDeps extends TransportDeps {
  /** Undefined if GraphiQL is off. */
  graphiql: ReturnType<typeof createGraphiql> | undefined;
  /** Undefined if the console is off. */
  console: ReturnType<typeof createConsole> | undefined;
  /** False while the service drains. */
  isReady: () => boolean;
  /** False as soon as a load balancer should send no new connections. */
  isWanted: () => boolean;
  /** Why the machine refuses connections, for operators; undefined when it does not. */
  machineProblem: () => string | undefined;
  onFault: (error: unknown) => void;
}

/** Creates the HTTP server for `/graphql` (queries, mutations, SSE, GraphiQL), `/console`, `/health`, `/ready` and `/metrics`. */
export function createHttpServer(deps: HttpDeps): Server {
  const {
    addressOf,
    config,
    domain,
    metrics,
    graphiql,
    console,
    isReady,
    isWanted,
    machineProblem,
    onFault,
    publicError,
  } = deps;
  const trackUnread = createUnreadResponses(deps.memory, config);
  const handleJsonPost = createJsonPost(deps);
  const pipelined = new PipelinedRequests();
  // People open the root in a browser first.
  const notFound = `Not found. The API is at /graphql${console ? ', the console at /console' : ''}.`;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Read before the client can disconnect.
    const address = addressOf(request);
    if (!response.socket && !(await pipelined.untilTurn(request, response))) return;
    const memory = new RequestMemory(deps.memory, address);
    try {
      if (!connections.begin(request, response, () => memory.release())) return;
    } catch (error) {
      return refuseBusy(response, error);
    }
    const url = parseRequestUrl(request);
    if (!url) return sendText(response, 400, 'The URL is not valid.');
    switch (url.pathname) {
      case '/health':
        return sendText(response, 200, 'ok');
      case '/ready': {
        const problem = isWanted()
          ? (machineProblem() ?? domain.storage.writeProblem() ?? domain.broker.problem())
          : 'draining';
        if (problem !== undefined) return sendText(response, 503, problem);
        const warning = domain.broker.warning();
        return sendText(response, 200, warning === undefined ? 'ready' : `ready\n${warning}`);
      }
    }
    const { origin, host, accept = '' } = request.headers;
    if (!isAllowedHost(host, config)) return refuse(response, 421, hostRefused(host));
    switch (url.pathname) {
      case '/metrics':
        return sendText(response, 200, await metrics.read(), metrics.contentType);
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const wantsPage = reads && (url.pathname !== '/graphql' || accept.includes('text/html'));
    const asset = wantsPage ? (graphiql?.(url.pathname) ?? console?.(url.pathname)) : undefined;
    if (asset) {
      response.writeHead(200, { ...asset.headers, 'content-type': asset.contentType });
      return void response.end(asset.body);
    }
    if (url.pathname !== '/graphql') return sendText(response, 404, notFound);
    if (origin !== undefined && !isAllowedOrigin(origin, host, config))
      return refuse(response, 403, originRefused(origin));
    if (hasCredentialInUrl(url)) {
      const message = 'Send the credential in the Authorization header, not in the URL.';
      return refuse(response, 400, new SignalboxError('BAD_USER_INPUT', message));
    }
    if (!isReady())
      return refuse(response, 503, new SignalboxError('UNAVAILABLE', 'The service is draining.'));
    const problem = request.method === 'POST' ? mediaTypeProblem(request.headers['content-type']) : undefined;
    if (problem) return refuse(response, 415, problem);
    const unacceptable = acceptProblem(request.headers.accept);
    if (unacceptable) return refuse(response, 406, unacceptable);
    if (!isUtf8Query(url.search)) return refuse(response, 400, notUtf8('The URL'));
    let body: Buffer | undefined;
    try {
      body = await readBody(request, config.maxMessageBytes, (bytes) => memory.holdBody(bytes));
      connections.received(request);
      memory.hold(jsonTextHeapBytes(body ?? Buffer.of()));
    } catch (error) {
      return refuseBusy(response, error);
    }
    if (body === undefined) {
      const limit = config.maxMessageBytes;
      const message = `A request body may have at most ${limit} bytes.`;
      return refuse(response, 413, new SignalboxError('PAYLOAD_TOO_LARGE', message, { limit }));
    }
    if (!isUtf8(body)) return refuse(response, 400, notUtf8('The body'));
    const inexact = inexactNumberOfRequest(request.headers['content-type'], body, url);
    if (inexact) return refuse(response, 400, inexact);
    trackUnread(response, address);
    // A ticket is checked where the other credentials of event streams are.
    const hasTicket = url.search !== '' && url.searchParams.has('ticket');
    if (!hasTicket && (await handleJsonPost(request, response, body, memory))) return;
    await handleGraphql(request, response, body, memory);
  }

  /** Refuses a request for which there is no place or no memory. Rethrows every other error. */
  function refuseBusy(response: ServerResponse, error: unknown): void {
    if (!(error instanceof SignalboxError)) throw error;
    // The rest of the request is not read.
    response.shouldKeepAlive = false;
    refuse(response, 503, error);
  }

  function refuse(response: ServerResponse, status: number, error: SignalboxError): void {
    const errors = [publicError(error, undefined, addressOf(response.req)).toJSON()];
    setRetryAfter(response, errors);
    const { origin, host } = response.req.headers;
    // Without these headers, a page of an allowed origin could not read why it was refused.
    if (origin !== undefined && isAllowedOrigin(origin, host, config))
      response.setHeader('access-control-allow-origin', origin).setHeader('vary', 'Origin');
    sendText(response, status, JSON.stringify({ errors }), 'application/json; charset=utf-8');
  }

  const headersTimeout = Math.max(config.handshakeTimeoutMs, MIN_HEADERS_TIMEOUT_MS);
  // Node checks its timeouts only at this interval, which is 30 seconds by default.
  const server = createServer(
    {
      connectionsCheckingInterval: headersTimeout,
      // 16 KiB, the default of Node, for all headers but the credential.
      maxHeaderSize: config.maxCredentialBytes + 16_384,
    },
    (request, response) => {
      respond(request, response).catch((error: unknown) => {
        // A client that disconnects while it sends its request is not a fault of the service.
        if (request.destroyed && !request.complete) return;
        onFault(error);
        if (response.headersSent) response.destroy();
        else sendText(response, 500, 'Internal server error');
      });
    },
  );
  const connections = limitHttpConnections(server, addressOf, config);
  const handleGraphql = createGraphqlHandler(deps, connections);
  server.headersTimeout = headersTimeout;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = config.keepAliveMs;
  return server;
}

/** With a shorter timeout, a long turn of the event loop would look like a slow client. */
const MIN_HEADERS_TIMEOUT_MS = 1000;
/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 30_000;

function notUtf8(part: string): SignalboxError {
  return new SignalboxError(
    'BAD_USER_INPUT',
    `${part} is not valid UTF-8. Encode the text of the request in UTF-8.`,
  );
}

/** Whether the escapes of a query are UTF-8; the URL standard replaces others in silence. */
function isUtf8Query(search: string): boolean {
  if (search === '') return true;
  try {
    decodeURIComponent(search.replaceAll(/%(?![\dA-Fa-f]{2})/g, '%25'));
    return true;
  } catch {
    return false;
  }
}

function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff' });
  response.end(body);
}

/**
 * Reads the body of a request, holding at most `maxBytes`. Undefined if the body is larger.
 * @param hold is called with the number of bytes that are held; rejects with its error
 */
function readBody(
  request: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<Buffer | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let length = 0;
  let isRead = false;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        try {
          hold(chunk.length);
        } catch (error) {
          request.pause();
          return reject(error instanceof Error ? error : new Error(String(error)));
        }
        chunks.push(chunk);
      } else chunks.length = 0;
      // Most clients read the response only after they have sent the whole body, so a moderate excess is read and dropped.
      if (length > maxBytes * 16) resolve(undefined);
    });
    request.once('end', () => {
      isRead = true;
      if (length > maxBytes || declared > maxBytes) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('error', reject);
    request.once('close', () => {
      // A request that was read completely closes as well: an error that nobody receives would cost as much as reading the body.
      if (!isRead) reject(new Error('The client disconnected before its request was complete.'));
    });
  });
}
