import { type ErrorCode as ServiceErrorCode } from './generated/operations.ts';

/**
 * A code of the service's catalogue (`docs/reference/errors.md`), or one of three that the SDK adds:
 * `NETWORK_ERROR` (no answer), `TIMEOUT` (no answer in time) and `BAD_RESPONSE` (an answer that is not GraphQL).
 */
export type ErrorCode =
  | ServiceErrorCode
  | 'NETWORK_ERROR'
  | 'TIMEOUT'
  | 'BAD_RESPONSE'
  // The service may get a newer code than this package knows.
  | (string & {});

/** The fields that an error may carry beside its code. */
export interface ErrorFields {
  /** The argument at fault. */
  field?: string;
  /** The limit that was exceeded. */
  limit?: number;
  /** How long to wait before the next attempt, in seconds. */
  retryAfterSeconds?: number;
  /** The current version of a channel, when `ifVersion` did not match. */
  version?: number;
  /** The log line of an internal error of the service. */
  errorId?: string;
  /** True when the call may have taken effect: the database of the service became unreachable before it answered. */
  outcomeUnknown?: boolean;
}

/**
 * The only error of this package, except the `reason` of your own `AbortSignal`. Decide by `code` and `retryable`, never by `message`.
 *
 * @example
 * ```ts
 * try {
 *   await signalbox.channels.setState('game:1', state, { ifVersion: 3 });
 * } catch (error) {
 *   if (error instanceof SignalboxError && error.code === 'CONFLICT') console.log('now at version', error.version);
 *   else throw error;
 * }
 * ```
 */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ErrorCode;
  /** Whether the same call may succeed later, unchanged. The SDK has then already used its retries. */
  readonly retryable: boolean;
  readonly field: string | undefined;
  readonly limit: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly version: number | undefined;
  readonly errorId: string | undefined;
  readonly outcomeUnknown: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorFields & { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.field = options.field;
    this.limit = options.limit;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.version = options.version;
    this.errorId = options.errorId;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}

/** The service answers NOT_FOUND with an error; the schema allows null, too. */
export function requireFound<T>(kind: string, id: string, found: T | null): T {
  if (found !== null) return found;
  throw new SignalboxError('NOT_FOUND', `The project has no ${kind} “${id}”.`);
}
