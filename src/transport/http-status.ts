import { type ServerResponse } from 'node:http';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { setRetryAfter } from './retry-after.ts';

/** The status of each refusal that is not caused by the document. All others have status 400. */
const STATUSES: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_REVOKED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  UNAVAILABLE: 503,
};

/** The HTTP status of a refusal. */
export function statusOf({ extensions }: GraphQLError): number {
  const { code, http } = extensions as { code?: string; http?: { status?: number } };
  // Yoga sets another status when the request is not valid GraphQL over HTTP, such as a mutation by GET.
  if (http?.status !== undefined && http.status !== 400) return http.status;
  return STATUSES[code ?? ''] ?? 400;
}

/** The HTTP status of a result for clients that accept `application/graphql-response+json`. */
export function statusOfResult({ data, errors = [] }: ExecutionResult): number {
  return data === undefined ? Math.max(...errors.map(statusOf)) : 200;
}

/**
 * Sets the HTTP status of requests that are refused before execution, which have no `data`. Yoga applies the status only
 * for clients that accept `application/graphql-response+json`; with `application/json` and event streams, every
 * well-formed request has status 200. Yoga reads the status from `extensions.http` and removes it from the response.
 */
export function useHttpStatus(): Plugin<object, { res: ServerResponse }> {
  return {
    onParams({ params: { operationName } }) {
      // The only parameter that yoga does not check.
      if (operationName != null && typeof operationName !== 'string')
        throw new GraphQLError('operationName: must be a string.', { extensions: { http: { status: 400 } } });
    },
    onResultProcess({ result, serverContext }) {
      if (!isAsyncIterable(result) && !Array.isArray(result)) setRetryAfter(serverContext.res, result.errors);
    },
    onExecutionResult({ result, setResult }) {
      if (!result || Array.isArray(result) || isAsyncIterable(result) || !result.errors) return;
      const isRefused = result.data === undefined;
      setResult({ ...result, errors: result.errors.map((error) => (isRefused ? withStatus(error) : error)) });
    },
  };
}

function withStatus(error: GraphQLError): GraphQLError {
  const { nodes, source, positions, path, extensions } = error;
  const { http } = extensions as { http?: { status?: number } };
  if (http?.status !== undefined && http.status !== 400) return error;
  return new GraphQLError(error.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { ...extensions, http: { status: statusOf(error), spec: true } },
  });
}
