import { GraphQLError } from 'graphql';
import { ERROR_CATALOGUE, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';

/** Turns whatever was thrown into what a caller may see: always with a code of the catalogue. */
export type PublicError = (error: unknown) => GraphQLError;

export interface PublicErrorHooks {
  newId: NewId;
  /** A refusal that a caller is shown. */
  refused: (code: string) => void;
  /** A fault of ours, whose text the caller is not shown. */
  fault: (errorId: string, error: unknown) => void;
}

export function createPublicError({ newId, refused, fault }: PublicErrorHooks): PublicError {
  return (error) => {
    const thrown = error instanceof GraphQLError ? (error.originalError ?? error) : error;
    const { nodes, path, source, positions } = error instanceof GraphQLError ? error : new GraphQLError('');
    const where = {
      nodes: nodes ?? null,
      path: path ?? null,
      source: source ?? null,
      positions: positions ?? null,
    };
    if (thrown instanceof SignalboxError) {
      refused(thrown.code);
      const extensions = { code: thrown.code, retryable: thrown.retryable, ...thrown.fields };
      return new GraphQLError(thrown.message, { ...where, extensions });
    }
    if (error instanceof GraphQLError && (thrown === error || thrown instanceof GraphQLError)) {
      const { code = 'BAD_USER_INPUT' } = error.extensions;
      refused(String(code));
      if (error.extensions['code'] !== undefined) return error;
      return new GraphQLError(error.message, {
        ...where,
        extensions: { ...error.extensions, code, retryable: false },
      });
    }
    const errorId = newId('err');
    fault(errorId, thrown);
    const { retryable } = ERROR_CATALOGUE.INTERNAL_SERVER_ERROR;
    const extensions = { code: 'INTERNAL_SERVER_ERROR', retryable, errorId };
    return new GraphQLError('Something went wrong on our side.', { ...where, extensions });
  };
}
