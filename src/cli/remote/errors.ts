import { SignalboxError as ClientError } from '@signalbox/client';
import { SignalboxError as ServerError } from '@signalbox/server';

/** A command that was called in a wrong way: a malformed value, a missing setting, an unreadable file. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit codes of the command line, with their meanings, for the documentation. */
export const EXIT_CODES = {
  0: 'The command did what it was asked to do.',
  1: 'The service or the store refused or failed; also: damage was found, an action is not allowed, a check failed.',
  2: 'The command was called in a wrong way: an unknown option, a malformed value, a missing setting.',
  3: 'The API key or the credential is not accepted, or may not do this.',
  4: 'There is no such token, channel, key or issuer.',
  5: 'The service cannot be reached or asks to wait. The same call may succeed later.',
} as const;

const CODES: Readonly<Record<string, keyof typeof EXIT_CODES>> = {
  BAD_USER_INPUT: 2,
  UNAUTHENTICATED: 3,
  FORBIDDEN: 3,
  TOKEN_EXPIRED: 3,
  TOKEN_REVOKED: 3,
  NOT_FOUND: 4,
};

/** The remedy for an error whose message is written for programs; undefined when the message is enough. */
export const remedyOf = (error: unknown): string | undefined =>
  error instanceof ServerError && error.code === 'NETWORK_ERROR'
    ? 'Is the service running there? SIGNALBOX_URL or a profile says where it is.'
    : undefined;

/** The exit code for an error; undefined for a defect of the program, whose stack trace is worth showing. */
export function exitCodeOf(error: unknown): keyof typeof EXIT_CODES | undefined {
  if (error instanceof UsageError) return 2;
  if (!(error instanceof ServerError || error instanceof ClientError)) return undefined;
  return CODES[error.code] ?? (error.retryable ? 5 : 1);
}
