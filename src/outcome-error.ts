import { type ErrorCode, type SignalboxError } from './errors.ts';
import { type RefusalReason } from './refusal-reason.ts';
import { redactSecrets } from './redact-secrets.ts';

/** Why one item of a bulk call failed. It is part of the result, while the other items have taken effect. */
export interface OutcomeError {
  code: ErrorCode;
  message: string;
  retryAfterSeconds: number | undefined;
  /** Whether the item may have taken effect nevertheless: the database became unreachable before it answered. */
  outcomeUnknown: boolean | undefined;
  /** See `ErrorDetails`. For the audit log only, as are the next two. */
  reason: RefusalReason | undefined;
  issuer: string | undefined;
  channel: string | undefined;
}

/** The error as a plain object, because graphql-js throws errors that a resolver returns. */
export function outcomeErrorOf(error: SignalboxError): OutcomeError {
  const { code, message, fields, reason, issuer, channel } = error;
  const { retryAfterSeconds, outcomeUnknown } = fields;
  return {
    code,
    message: redactSecrets(message),
    retryAfterSeconds,
    outcomeUnknown,
    reason,
    issuer,
    channel,
  };
}
