import { GraphQLError, Kind } from 'graphql';
import { ERROR_CATALOGUE, SignalboxError, type ErrorCode } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { type Caller } from '../tokens/caller.ts';
import { type RedactMessage } from './redact-message.ts';

/** Turns whatever was thrown into what a caller may see: always with a code of the catalogue. What is such already stays. */
export type PublicError = (error: unknown, caller?: Caller) => GraphQLError;

/** That a caller is shown an error. */
export interface Refusal {
  code: ErrorCode;
  /** Undefined where nobody knows yet who asks. */
  caller: Caller | undefined;
  /** The field of the API that it concerns. */
  field: string | undefined;
}

export interface PublicErrorHooks {
  newId: NewId;
  wording: RedactMessage;
  refused: (refusal: Refusal) => void;
  /** A fault of ours, whose text the caller is not shown. */
  fault: (errorId: string, error: unknown) => void;
}

export function createPublicError({ newId, wording, refused, fault }: PublicErrorHooks): PublicError {
  const shown = new WeakSet<GraphQLError>();

  function show(error: GraphQLError): GraphQLError {
    shown.add(error);
    return error;
  }

  function faultOf(error: unknown): { errorId: string } {
    const errorId = newId('err');
    fault(errorId, error);
    return { errorId };
  }

  return (error, caller) => {
    if (error instanceof GraphQLError && shown.has(error)) return error;
    const thrown = error instanceof GraphQLError ? (error.originalError ?? error) : error;
    const { nodes, path, source, positions } = error instanceof GraphQLError ? error : new GraphQLError('');
    const where = {
      nodes: nodes ?? null,
      path: path ?? null,
      source: source ?? null,
      positions: positions ?? null,
    };
    const field = nodes?.[0]?.kind === Kind.FIELD ? nodes[0].name.value : undefined;
    if (thrown instanceof SignalboxError) {
      const { code, retryable, fields, cause } = thrown;
      refused({ code, caller, field });
      // What we cannot do for want of something of ours, the operator must hear of.
      const lack = cause === undefined ? {} : faultOf(cause);
      return show(
        new GraphQLError(wording(thrown.message), {
          ...where,
          extensions: { code, retryable, ...fields, ...lack },
        }),
      );
    }
    if (error instanceof GraphQLError && (thrown === error || thrown instanceof GraphQLError)) {
      const known = codeOf(error);
      const code = known ?? 'BAD_USER_INPUT';
      refused({ code, caller, field });
      if (known && 'retryable' in error.extensions) return error;
      // Of what libraries add only `http` stays: it is how yoga is told a status, and it shows it to nobody.
      const { http } = error.extensions;
      const { retryable } = ERROR_CATALOGUE[code];
      const extensions = { code, retryable, ...(http !== undefined && { http: { ...http, spec: false } }) };
      return show(new GraphQLError(wording(error.message), { ...where, extensions }));
    }
    const code = 'INTERNAL_SERVER_ERROR';
    const extensions = { code, retryable: ERROR_CATALOGUE[code].retryable, ...faultOf(thrown) };
    return show(new GraphQLError('Something went wrong on our side.', { ...where, extensions }));
  };
}

/** The libraries have codes of their own, which are not in the catalogue. */
function codeOf({ extensions: { code } }: GraphQLError): ErrorCode | undefined {
  return typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : undefined;
}
