import { type RefusalReason } from './refusal-reason.ts';
/** The closed catalogue of error codes. `retryable`: the same request may succeed later, unchanged. */
export const ERROR_CATALOGUE = {
  UNAUTHENTICATED: {
    retryable: false,
    meaning: 'The credential or API key is missing, malformed, unknown or signed by an untrusted key.',
  },
  TOKEN_EXPIRED: {
    retryable: false,
    meaning: 'The token has expired. Get a new credential from your backend and reconnect.',
  },
  TOKEN_REVOKED: {
    retryable: false,
    meaning:
      'The token, or this credential, was revoked. Request a new credential from your backend. A token that `revokeToken` revoked gets no further credential.',
  },
  FORBIDDEN: {
    retryable: false,
    meaning:
      'The caller may not do this: its role, grants, memberships or scopes, or the settings of the project, do not allow it.',
  },
  NOT_FOUND: { retryable: false, meaning: 'The project has no object with this id.' },
  BAD_USER_INPUT: {
    retryable: false,
    meaning: 'An argument is malformed or out of range; `field` names the argument, if there is one.',
  },
  CONFLICT: {
    retryable: false,
    meaning:
      'The object already exists, its version differs from `ifVersion`, or the idempotency key was used for a different message.',
  },
  POSITION_LOST: {
    retryable: false,
    meaning:
      'The log no longer holds every message since this cursor. Subscribe without `since` and reload the data that you display.',
  },
  RATE_LIMITED: {
    retryable: true,
    meaning: 'Too many requests from this caller or address. Wait `retryAfterSeconds` seconds.',
  },
  LIMIT_EXCEEDED: {
    retryable: false,
    meaning:
      'A limit is reached, for example on open operations, connections, memberships or the entries of one call; `limit` is its value.',
  },
  PAYLOAD_TOO_LARGE: {
    retryable: false,
    meaning: 'A message, state or document exceeds its size limit; `limit` is in bytes.',
  },
  OPERATION_TOO_COMPLEX: {
    retryable: false,
    meaning:
      'The GraphQL document is too deep, too wide or too costly; `limit` is the limit that it exceeds.',
  },
  SLOW_CONSUMER: {
    retryable: true,
    meaning: 'The client read too slowly, so its stream was closed. Resume with the last cursor.',
  },
  UNAVAILABLE: {
    retryable: true,
    meaning:
      'The service is starting or draining, or it cannot read or write its store. Nothing was changed, unless `outcomeUnknown` is true. Retry later. If the message reports damage, inform the operator.',
  },
  GRAPHQL_PARSE_FAILED: { retryable: false, meaning: 'The document is not valid GraphQL syntax.' },
  GRAPHQL_VALIDATION_FAILED: { retryable: false, meaning: 'The document does not match the schema.' },
  INTERNAL_SERVER_ERROR: {
    retryable: true,
    meaning: 'An unexpected error in the service; its log has the details under `errorId`.',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** Machine-readable details of an error, sent to the client in `extensions`. */
export interface ErrorFields {
  /** The invalid argument, for example `input.identity`. */
  field?: string;
  /** The limit that was exceeded, in the unit that the message names. */
  limit?: number;
  /** How long to wait before the next attempt, in seconds. */
  retryAfterSeconds?: number;
  /** The current version, when `ifVersion` does not match. */
  version?: number;
  /** True when the request may have taken effect: the database became unreachable before it answered. */
  outcomeUnknown?: boolean;
}

export interface ErrorDetails extends ErrorFields {
  /** The underlying error. It is logged for the operator and never sent to the client. */
  cause?: unknown;
  /** Written to the audit log and never sent to the client. */
  reason?: RefusalReason | undefined;
  /** The existing channel in which an action was refused, for the audit log. Never sent to the client. */
  channel?: string | undefined;
  /** The issuer of the refused credential, for the audit log. Never sent to the client. */
  issuer?: string | undefined;
}

/**
 * The only error that is shown to callers. Every other thrown value is logged and masked as INTERNAL_SERVER_ERROR.
 *
 * @example
 * throw new SignalboxError('PAYLOAD_TOO_LARGE', 'data: has 40000 bytes; at most 32768 are allowed.', {
 *   field: 'data',
 *   limit: 32_768,
 * });
 */
export class SignalboxError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;
  /** See `ErrorDetails`. */
  readonly reason: RefusalReason | undefined;
  /** See `ErrorDetails`. */
  readonly channel: string | undefined;
  /** See `ErrorDetails`. Set after the verification, which does not know the issuer. */
  issuer: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { cause, reason, issuer, channel, ...fields }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SignalboxError';
    this.code = code;
    this.fields = fields;
    this.reason = reason;
    this.channel = channel;
    this.issuer = issuer;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }
}

/** @example notFound('channel', 'lobby') // There is no channel “lobby” in this project. */
export function notFound(noun: string, id: string): SignalboxError {
  // The identity of a user is often passed as the id of the token.
  const remedy =
    noun === 'token' && !id.startsWith('token_')
      ? ' Pass the id of a token, which begins with “token_”, not an identity.'
      : '';
  return new SignalboxError('NOT_FOUND', `There is no ${noun} “${id}” in this project.${remedy}`);
}

/** @param message a predicate of the field, for example `must not be empty.` */
export function badInput(field: string, message: string): SignalboxError {
  return new SignalboxError('BAD_USER_INPUT', `${field}: ${message}`, { field });
}

export function unauthenticated(message: string, reason?: RefusalReason): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', message, { reason });
}

export function forbidden(message: string): SignalboxError {
  return new SignalboxError('FORBIDDEN', message);
}

export function conflict(message: string, details?: ErrorDetails): SignalboxError {
  return new SignalboxError('CONFLICT', message, details);
}

export function limitExceeded(limit: number, message: string): SignalboxError {
  return new SignalboxError('LIMIT_EXCEEDED', message, { limit });
}

/** @param cause the underlying error, logged for the operator */
export function unavailable(message: string, cause?: unknown): SignalboxError {
  return new SignalboxError('UNAVAILABLE', message, { cause });
}
