import { type IncomingMessage, type ServerResponse } from 'node:http';
import { getOperationAST, OperationTypeNode, type DocumentNode } from 'graphql';
import { type Connection } from '../connections/connection.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type TransportDeps } from './transport-deps.ts';
import { execute } from './execute.ts';
import { callerOfRequest } from './handshake.ts';

/** Answers a request, or leaves it as it was: false. */
export type JsonPost = (request: IncomingMessage, response: ServerResponse, body: Buffer) => Promise<boolean>;

/**
 * The plain case of GraphQL over HTTP, which is nearly all of it: JSON is posted, it asks for a query or mutation that is
 * valid, by a caller who is known, and JSON is wanted back. Whatever else it may be is left to yoga, every refusal among
 * it, so that there is one place for those; what both can answer, they answer alike.
 *
 * Yoga takes five times as long, most of it for the objects of the Fetch standard.
 */
export function createJsonPost({ schema, domain, documents, publicError, limiter }: TransportDeps): JsonPost {
  return async (request, response, body) => {
    const contentType = answerTypeOf(request);
    const asked = contentType === undefined ? undefined : read(body);
    const document = asked && find(asked);
    if (!asked || !document) return false;
    const caller = await callerOfRequest(domain, (name) => headerOf(request, name)).catch(() => undefined);
    if (!caller) return false;
    const contextValue = new RequestContext(domain, caller, limiter.addressOf(request));
    const { operationName, variables } = asked;
    const result = await execute(
      {
        schema,
        document,
        contextValue,
        ...(variables && { variableValues: variables }),
        ...(operationName && { operationName }),
      },
      (error) => publicError(error, caller),
    );
    // It was refused before anything was done.
    if (result.data === undefined) return false;
    const text = JSON.stringify(result);
    response.writeHead(200, {
      'content-type': `${contentType}; charset=utf-8`,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    return true;
  };

  function find({ query, operationName }: Asked): DocumentNode | undefined {
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

interface Asked {
  query: string;
  operationName: string | null | undefined;
  variables: Record<string, unknown> | null | undefined;
}

const PARAMETERS = new Set(['query', 'operationName', 'variables', 'extensions']);

function read(body: Buffer): Asked | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (!isObject(value) || !Object.keys(value).every((name) => PARAMETERS.has(name))) return undefined;
    const { query, operationName, variables, extensions } = value;
    const isPlain =
      typeof query === 'string' &&
      (operationName == null || typeof operationName === 'string') &&
      (variables == null || isObject(variables)) &&
      (extensions == null || isObject(extensions));
    return isPlain ? { query, operationName, variables } : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How the answer is wanted, if what comes is plain JSON and JSON is wanted first. */
function answerTypeOf({ method, headers }: IncomingMessage): string | undefined {
  // A page is told whether it may read the answer, and yoga tells it.
  if (method !== 'POST' || headers.origin !== undefined || headers['content-encoding'] !== undefined)
    return undefined;
  if (!/^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '')) return undefined;
  const [wanted = ''] = (headers.accept ?? '*/*').split(',');
  switch (wanted.trim()) {
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

/** What a query or mutation by HTTP knows: it has no live connection. */
class RequestContext implements Context {
  readonly domain: Domain;
  readonly caller: Caller;
  readonly connection = undefined;
  readonly address: string;

  constructor(domain: Domain, caller: Caller, address: string) {
    this.domain = domain;
    this.caller = caller;
    this.address = address;
  }

  connect(): Promise<Connection> {
    throw new TypeError('Only a subscription opens a connection.');
  }
}
