import { GraphQLError, Kind } from 'graphql';
import { ERROR_CATALOGUE, SignalboxError, type ErrorCode } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { type Refusal } from '../observability/refusals.ts';
import { type Caller } from '../tokens/caller.ts';
import { type RedactMessage } from './redact-message.ts';

/**
 * Converts any thrown value into an error that a caller may see, with a code of the catalogue. Idempotent.
 * `address` is the network address of the caller, for the audit log.
 */
export type PublicError = (error: unknown, caller?: Caller, address?: string) => GraphQLError;

export interface PublicErrorDeps {
  newId: NewId;
  redactMessage: RedactMessage;
  onRefused: (refusal: Refusal) => void;
  /** Is called for failures of the service. The caller sees the `errorId`, but not the error itself. */
  onFault: (errorId: string, error: unknown) => void;
}

export function createPublicError({
  newId,
  redactMessage,
  onRefused,
  onFault,
}: PublicErrorDeps): PublicError {
  const converted = new WeakSet<GraphQLError>();

  function markConverted(error: GraphQLError): GraphQLError {
    converted.add(error);
    return error;
  }

  function reportFault(error: unknown): { errorId: string } {
    const errorId = newId('err');
    onFault(errorId, error);
    return { errorId };
  }

  return (error, caller, address) => {
    if (error instanceof GraphQLError && converted.has(error)) return error;
    const thrown = error instanceof GraphQLError ? (error.originalError ?? error) : error;
    const { nodes, path, source, positions } = error instanceof GraphQLError ? error : new GraphQLError('');
    const location = {
      nodes: nodes ?? null,
      path: path ?? null,
      source: source ?? null,
      positions: positions ?? null,
    };
    const field = nodes?.[0]?.kind === Kind.FIELD ? nodes[0].name.value : undefined;
    if (thrown instanceof SignalboxError) {
      const { code, retryable, fields, cause, issuer, reason, channel } = thrown;
      const message = redactMessage(thrown.message);
      onRefused({ code, caller, address, issuer, reason, channel, message, field });
      // An error with a cause is a failure of the service, not of the caller, so the operator needs it in the log.
      const fault = cause === undefined ? {} : reportFault(cause);
      return markConverted(
        new GraphQLError(message, {
          ...location,
          extensions: { code, retryable, ...fields, ...fault },
        }),
      );
    }
    if (error instanceof GraphQLError && (thrown === error || thrown instanceof GraphQLError)) {
      const catalogueCode = codeOf(error);
      const code = catalogueCode ?? 'BAD_USER_INPUT';
      const message = redactMessage(error.message);
      onRefused({
        code,
        caller,
        address,
        issuer: undefined,
        reason: undefined,
        channel: undefined,
        message,
        field,
      });
      if (catalogueCode && 'retryable' in error.extensions) return error;
      // Of the extensions added by libraries only `http` stays: yoga reads the status from it and removes it.
      const { http } = error.extensions;
      const { retryable } = ERROR_CATALOGUE[code];
      const extensions = { code, retryable, ...(http !== undefined && { http: { ...http, spec: false } }) };
      return markConverted(new GraphQLError(message, { ...location, extensions }));
    }
    const code = 'INTERNAL_SERVER_ERROR';
    const extensions = { code, retryable: ERROR_CATALOGUE[code].retryable, ...reportFault(thrown) };
    return markConverted(
      new GraphQLError(
        'The service failed to handle the request. Its log contains the details under the errorId.',
        {
          ...location,
          extensions,
        },
      ),
    );
  };
}

/** The code of an error if it is one of the catalogue. Libraries also use codes of their own. */
function codeOf({ extensions: { code } }: GraphQLError): ErrorCode | undefined {
  return typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : undefined;
}
