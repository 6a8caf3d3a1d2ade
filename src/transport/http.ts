import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SignalboxError } from '../errors.ts';
import { type TransportDeps } from './transport-deps.ts';
import { type createGraphiql } from './graphiql.ts';
import { createJsonPost } from './json-post.ts';
import { hasCredentialInUrl, isAllowedOrigin, urlOf } from './origins.ts';
import { createGraphqlHandler } from './yoga.ts';

export interface HttpParts extends TransportDeps {
  graphiql: ReturnType<typeof createGraphiql> | undefined;
  isReady: () => boolean;
  onFault: (error: unknown) => void;
}

/** The HTTP side: `/graphql`, GraphiQL, and what operators ask for. */
export function createHttpServer(parts: HttpParts): Server {
  const { config, metrics, graphiql, isReady, onFault, publicError } = parts;
  const graphql = createGraphqlHandler(parts);
  const jsonPost = createJsonPost(parts);

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = urlOf(request);
    if (!url) return text(response, 400, 'That is no URL.');
    switch (url.pathname) {
      case '/health':
        return text(response, 200, 'ok');
      case '/ready':
        return isReady() ? text(response, 200, 'ready') : text(response, 503, 'draining');
      case '/metrics':
        return text(response, 200, await metrics.read(), metrics.contentType);
    }
    const { origin, host, accept = '' } = request.headers;
    const wantsPage =
      request.method === 'GET' && (url.pathname !== '/graphql' || accept.includes('text/html'));
    const asset = wantsPage ? graphiql?.(url.pathname) : undefined;
    if (asset) {
      response.writeHead(200, { ...asset.headers, 'content-type': asset.contentType });
      return void response.end(asset.body);
    }
    if (url.pathname !== '/graphql') return text(response, 404, 'Not found. The API is at /graphql.');
    if (!isAllowedOrigin(origin, host, config.origins))
      return refuse(response, 403, new SignalboxError('FORBIDDEN', 'This origin is not allowed.'));
    if (hasCredentialInUrl(url)) {
      const message = 'A credential belongs into the Authorization header, never into a URL.';
      return refuse(response, 400, new SignalboxError('BAD_USER_INPUT', message));
    }
    if (!isReady())
      return refuse(response, 503, new SignalboxError('UNAVAILABLE', 'The service is draining.'));
    const body = await readBody(request, config.maxMessageBytes);
    if (body === undefined) {
      const limit = config.maxMessageBytes;
      const message = `A request may have at most ${limit} bytes.`;
      return refuse(response, 413, new SignalboxError('PAYLOAD_TOO_LARGE', message, { limit }));
    }
    if (!(await jsonPost(request, response, body))) await graphql(request, response, body);
  }

  function refuse(response: ServerResponse, status: number, error: SignalboxError): void {
    const errors = [publicError(error).toJSON()];
    text(response, status, JSON.stringify({ errors }), 'application/json; charset=utf-8');
  }

  const headersTimeout = Math.max(config.handshakeTimeoutMs, MIN_HEADERS_TIMEOUT_MS);
  // Node looks at its time-outs only so often, every 30 seconds unless told otherwise.
  const server = createServer({ connectionsCheckingInterval: headersTimeout }, (request, response) => {
    respond(request, response).catch((error: unknown) => {
      // A client that goes while it is still talking is no fault of ours.
      if (request.destroyed && !request.complete) return;
      onFault(error);
      if (response.headersSent) response.destroy();
      else text(response, 500, 'Internal server error');
    });
  });
  server.headersTimeout = headersTimeout;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return server;
}

/** Below, a turn of the event loop that was long would look like a client that is slow. */
const MIN_HEADERS_TIMEOUT_MS = 1000;
/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 30_000;

function text(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff' });
  response.end(body);
}

/** Undefined when it is larger than `maxBytes`: no more than that is ever held. */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
      // What is too large is read to its end for as long as that is cheap, so that the answer arrives.
      if (length > maxBytes * 16) resolve(undefined);
    });
    request.once('end', () => {
      if (length > maxBytes || declared > maxBytes) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('error', reject);
    request.once('close', () => reject(new Error('The client went before it had said everything.')));
  });
}
