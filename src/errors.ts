/** What each code means to whoever receives it. `retryable`: the same request may succeed later, unchanged. */
export const ERROR_CATALOGUE = {
  UNAUTHENTICATED: {
    retryable: false,
    meaning: 'The credential or API key is missing, malformed, unknown or not signed by us.',
  },
  TOKEN_EXPIRED: {
    retryable: false,
    meaning: 'The token has expired. Fetch a new credential from your backend and come back.',
  },
  TOKEN_REVOKED: { retryable: false, meaning: 'The token was revoked by its backend.' },
  FORBIDDEN: {
    retryable: false,
    meaning: 'The caller is known, but its role, grants or memberships do not allow this.',
  },
  NOT_FOUND: { retryable: false, meaning: 'There is no such thing in this project.' },
  BAD_USER_INPUT: {
    retryable: false,
    meaning: 'An argument is malformed or out of range; `field` names it where there is one.',
  },
  CONFLICT: {
    retryable: false,
    meaning:
      'The thing exists already, has another version than `ifVersion`, or the idempotency key was used for something else.',
  },
  POSITION_LOST: {
    retryable: false,
    meaning:
      'The log no longer holds everything since this cursor. Start without `since` and reload what you show.',
  },
  RATE_LIMITED: {
    retryable: true,
    meaning: 'Too many of these from this caller or address. Wait `retryAfterSeconds`.',
  },
  LIMIT_EXCEEDED: {
    retryable: false,
    meaning:
      'A bound is reached: operations or connections, memberships, names in one call; `limit` is its value.',
  },
  PAYLOAD_TOO_LARGE: {
    retryable: false,
    meaning: 'A message, state or document is larger than its limit; `limit` is in bytes.',
  },
  OPERATION_TOO_COMPLEX: {
    retryable: false,
    meaning: 'The GraphQL document is too deep, too wide or too costly; `limit` is the bound it broke.',
  },
  SLOW_CONSUMER: {
    retryable: true,
    meaning: 'The client did not read fast enough, so its stream was ended. Resume with the last cursor.',
  },
  UNAVAILABLE: {
    retryable: true,
    meaning: 'The service is starting, draining or cannot write. Nothing was done; try again.',
  },
  GRAPHQL_PARSE_FAILED: { retryable: false, meaning: 'The document is not GraphQL.' },
  GRAPHQL_VALIDATION_FAILED: { retryable: false, meaning: 'The document does not fit the schema.' },
  INTERNAL_SERVER_ERROR: {
    retryable: true,
    meaning: 'A fault of ours; the log has the details under `errorId`.',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** Facts that travel with an error as `extensions`, so that nobody parses a sentence. */
export interface ErrorFields {
  /** The argument at fault, for example `input.identity`. */
  field?: string;
  /** The bound that was broken, in the unit the message names. */
  limit?: number;
  /** How long to wait, in seconds. */
  retryAfterSeconds?: number;
  /** The current version, where `ifVersion` did not match. */
  version?: number;
}

/** The one error that callers are shown. Anything else that is thrown is a fault of ours and is masked. */
export class SignalboxError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message);
    this.name = 'SignalboxError';
    this.code = code;
    this.fields = fields;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }
}

export function notFound(what: string, id: string): SignalboxError {
  return new SignalboxError('NOT_FOUND', `There is no ${what} “${id}” in this project.`);
}

export function badInput(field: string, message: string): SignalboxError {
  return new SignalboxError('BAD_USER_INPUT', `${field}: ${message}`, { field });
}
