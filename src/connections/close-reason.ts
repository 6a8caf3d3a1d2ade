import { type LeaveReason } from '../broker/signal.ts';
import { SignalboxError, type ErrorCode } from '../errors.ts';

/** Why a connection closes. The transport maps it to a close code, presence to a leave reason. */
export type CloseReason =
  | 'CLIENT_LEFT'
  | 'CONNECTION_LOST'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_REVOKED'
  | 'KEY_ENDED'
  | 'DISCONNECTED'
  | 'SLOW_CONSUMER'
  | 'DRAINING';

/** Reasons after which queued messages are discarded instead of delivered. */
export const REVOKES_ACCESS: ReadonlySet<CloseReason> = new Set([
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'KEY_ENDED',
]);

/** The leave reason that presence announces for each close reason. */
export const LEAVE_REASONS: Record<CloseReason, LeaveReason> = {
  CLIENT_LEFT: 'LEFT',
  CONNECTION_LOST: 'CONNECTION_LOST',
  TOKEN_EXPIRED: 'EXPIRED',
  TOKEN_REVOKED: 'REVOKED',
  KEY_ENDED: 'REVOKED',
  DISCONNECTED: 'DISCONNECTED',
  SLOW_CONSUMER: 'SLOW_CONSUMER',
  DRAINING: 'DRAINING',
};

/** The error of each reason; absent: the client left or vanished. */
const ERRORS: Partial<Record<CloseReason, { code: ErrorCode; message: string }>> = {
  TOKEN_EXPIRED: { code: 'TOKEN_EXPIRED', message: 'The token has expired.' },
  TOKEN_REVOKED: { code: 'TOKEN_REVOKED', message: 'The token was revoked.' },
  KEY_ENDED: {
    code: 'UNAUTHENTICATED',
    message: 'The credential of this connection is no longer valid.',
  },
  DISCONNECTED: {
    code: 'FORBIDDEN',
    message: 'The connection was closed by a moderator or a backend.',
  },
  SLOW_CONSUMER: {
    code: 'SLOW_CONSUMER',
    message: 'The stream was not read fast enough. Resume with the last cursor.',
  },
  DRAINING: {
    code: 'UNAVAILABLE',
    message: 'The service is restarting, or has lost its database. Resume with the last cursor.',
  },
};

/** The error that ends a stream over HTTP. A WebSocket client receives a close code instead. */
export function errorOf(reason: CloseReason): SignalboxError | undefined {
  const error = ERRORS[reason];
  return error && new SignalboxError(error.code, error.message);
}

/** The sentence of `errorOf`, without the cost of an error object: thousands of sockets can close at once. */
export function sentenceOf(reason: CloseReason): string | undefined {
  return ERRORS[reason]?.message;
}
