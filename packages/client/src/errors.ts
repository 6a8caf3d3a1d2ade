/** The fields of an error that the service documents. */
export interface ErrorFields {
  /** The argument at fault. */
  readonly field?: string;
  /** The bound that was exceeded. */
  readonly limit?: number;
  /** How long to wait, in seconds. */
  readonly retryAfterSeconds?: number;
  /** The current version of a channel, when `ifVersion` did not match. */
  readonly version?: number;
  /** The line in the log of the service that has the details of an internal error. */
  readonly errorId?: string;
  /** True when the request may have taken effect, because the database became unreachable before the service answered. */
  readonly outcomeUnknown?: boolean;
}

/**
 * Every error of the client. `code` is a code of the service (see its error catalogue) or one of the client:
 * `CONNECTION_LOST`, `OFFLINE`, `OUTBOX_FULL`, `OUTBOX_EXPIRED`, `ENDED`, `DISCONNECTED`, `PROTOCOL`.
 */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  declare readonly code: string;
  /** Whether the same request may succeed later, unchanged. */
  declare readonly retryable: boolean;
  /** The documented extensions of the error besides its code. */
  declare readonly fields: ErrorFields;

  constructor(code: string, message: string, retryable = false, fields: ErrorFields = {}) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.fields = fields;
  }
}

/** The error of a call that does not wait for a connection, or not longer. */
export const offline = () => new SignalboxError('OFFLINE', 'There is no connection.', true);

/** Throw it from the credential function when the user is signed out: the client ends and does not reconnect. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';

  constructor(message = 'You are signed out.') {
    super(message);
  }
}

/** An error of a GraphQL result. */
export interface GraphQLErrorLike {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** The first error of a result, as a `SignalboxError`. */
export function errorOf(errors: readonly GraphQLErrorLike[]): SignalboxError {
  const { message = '', extensions = {} } = errors[0] ?? {};
  const { code, retryable, ...fields } = extensions;
  return new SignalboxError(
    typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR',
    message,
    retryable === true,
    fields,
  );
}

/** Converts a thrown value of any type to a `SignalboxError`. */
export function toError(thrown: unknown): SignalboxError {
  if (thrown instanceof SignalboxError) return thrown;
  if (Array.isArray(thrown)) return errorOf(thrown as GraphQLErrorLike[]);
  // The service answered something that is not in its schema.
  return new SignalboxError('PROTOCOL', messageOf(thrown), true);
}

/** The message of an `Error`, or the text of another value. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
