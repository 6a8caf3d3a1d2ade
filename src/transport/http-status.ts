import { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';

/** Of refusals that are not the document's fault, which is 400. */
const STATUSES: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_REVOKED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  UNAVAILABLE: 503,
};

/**
 * What was refused before it was executed has no data. To whoever accepts `application/graphql-response+json` its status
 * says so too; `application/json` and event streams are 200 for every request that was well-formed. Yoga takes the status
 * from `extensions.http`, which it shows to nobody.
 */
export function useHttpStatus(): Plugin {
  return {
    onParams({ params: { operationName } }) {
      // The one parameter that yoga does not look at.
      if (operationName != null && typeof operationName !== 'string')
        throw new GraphQLError('operationName: must be a string.', { extensions: { http: { status: 400 } } });
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
  const { code, http } = extensions as { code?: string; http?: { status?: number } };
  // Yoga's own word for what is no GraphQL request at all, such as a mutation by GET.
  if (http?.status !== undefined && http.status !== 400) return error;
  return new GraphQLError(error.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { ...extensions, http: { status: STATUSES[code ?? ''] ?? 400, spec: true } },
  });
}
