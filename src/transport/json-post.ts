import { type IncomingMessage, type ServerResponse } from 'node:http';
import { getOperationAST, OperationTypeNode, type DocumentNode } from 'graphql';
import { isObject } from '../is-object.ts';
import { type Connection } from '../connections/connection.ts';
import { type Sender } from '../broker/message.ts';
import { isSentBy } from '../messages/sender.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type TransportDeps } from './transport-deps.ts';
import { execute } from './execute.ts';
import { authenticateHttpRequest } from './handshake.ts';
import { statusOfResult } from './http-status.ts';
import { setRetryAfter } from './retry-after.ts';
import { type RequestMemory } from './request-memory.ts';

/** Answers a request, or returns false and leaves the request untouched. */
export type JsonPost = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  memory: RequestMemory,
) => Promise<boolean>;

/**
 * Creates the fast path of GraphQL over HTTP, which takes nearly all requests: a POST of JSON with a valid query or
 * mutation of an authenticated caller who accepts JSON. All other requests, including refused ones, are left to yoga, so
 * that refusals are implemented once. A request that both can answer gets the same response from both.
 *
 * Yoga takes five times as long, most of it for the objects of the Fetch standard.
 */
export function createJsonPost({
  schema,
  domain,
  documents,
  publicError,
  addressOf,
  budget,
}: TransportDeps): JsonPost {
  return async (request, response, body, memory) => {
    const contentType = responseTypeOf(request);
    const params = contentType === undefined ? undefined : parseParams(body);
    const document = params && findDocument(params);
    if (!params || !document) return false;
    const { changes: rightsAsOf } = domain.rights;
    const caller = await authenticateHttpRequest(domain, (name) => headerOf(request, name)).catch(
      () => undefined,
    );
    if (!caller) return false;
    const contextValue = new RequestContext(domain, caller, rightsAsOf, addressOf(request));
    const { operationName, variables } = params;
    try {
      memory.holdDocument(document);
      budget.take(contextValue, document, operationName);
    } catch {
      // Yoga refuses the request in the same way.
      return false;
    }
    const result = await execute(
      {
        schema,
        document,
        contextValue,
        ...(variables && { variableValues: variables }),
        ...(operationName && { operationName }),
      },
      (error) => publicError(error, caller, contextValue.address),
    );
    const text = JSON.stringify(result);
    setRetryAfter(response, result.errors);
    response.writeHead(contentType === 'application/json' ? 200 : statusOfResult(result), {
      'content-type': `${contentType}; charset=utf-8`,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    return true;
  };

  /** The document of a valid query or mutation. */
  function findDocument({ query, operationName }: Params): DocumentNode | undefined {
    try {
      const document = documents.parse(query);
      if (documents.validate(document).length > 0) return undefined;
      const operation = getOperationAST(document, operationName);
      return operation && operation.operation !== OperationTypeNode.SUBSCRIPTION ? document : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The parameters of a GraphQL request. */
interface Params {
  query: string;
  operationName: string | null | undefined;
  variables: Record<string, unknown> | null | undefined;
}

const PARAMETER_NAMES = new Set(['query', 'operationName', 'variables', 'extensions']);

/** Undefined if the body is not a single well-formed request. */
function parseParams(body: Buffer): Params | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (!isObject(value) || !Object.keys(value).every((name) => PARAMETER_NAMES.has(name))) return undefined;
    const { query, operationName, variables, extensions } = value;
    const isWellFormed =
      typeof query === 'string' &&
      (operationName == null || typeof operationName === 'string') &&
      (variables == null || isObject(variables)) &&
      (extensions == null || isObject(extensions));
    return isWellFormed ? { query, operationName, variables } : undefined;
  } catch {
    return undefined;
  }
}

/** The media type of the response. Undefined unless the request is a plain JSON POST that prefers JSON. */
function responseTypeOf({ method, headers }: IncomingMessage): string | undefined {
  // Requests of web pages need CORS headers in the response, which yoga adds.
  if (method !== 'POST' || headers.origin !== undefined || headers['content-encoding'] !== undefined)
    return undefined;
  if (!/^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '')) return undefined;
  const [preferred = ''] = (headers.accept ?? '*/*').split(',');
  switch (preferred.trim()) {
    case '*/*':
    case 'application/json':
      return 'application/json';
    case 'application/graphql-response+json':
      return 'application/graphql-response+json';
    default:
      return undefined;
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

/** The GraphQL context of a query or mutation over HTTP, which has no live connection. */
class RequestContext implements Context {
  readonly domain: Domain;
  readonly caller: Caller;
  readonly rightsAsOf: number;
  readonly connection = undefined;
  readonly address: string;

  constructor(domain: Domain, caller: Caller, rightsAsOf: number, address: string) {
    this.domain = domain;
    this.caller = caller;
    this.rightsAsOf = rightsAsOf;
    this.address = address;
  }

  isSender(sender: Sender): boolean {
    return isSentBy(sender, this.caller);
  }

  connect(): Promise<Connection> {
    throw new TypeError('RequestContext.connect() is only available to subscriptions.');
  }
}
