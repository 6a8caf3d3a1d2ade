import { type CloseReason } from '../connections/connection.ts';
import { SignalboxError } from '../errors.ts';

/**
 * All codes with which Signalbox closes a WebSocket; the close reason is the name of the entry. `reconnects` tells
 * whether an unpatched graphql-ws client with retries enabled reconnects after the code.
 */
export const CLOSE_CODES = {
  RESTART: {
    code: 1012,
    reconnects: true,
    meaning: 'The service is restarting or shutting down. Reconnect and resume from the last cursor.',
  },
  OVERLOAD: {
    code: 1013,
    reconnects: true,
    meaning: 'The token has too many connections, or the service is overloaded. Reconnect later.',
  },
  BAD_MESSAGE: {
    code: 4400,
    reconnects: false,
    meaning: 'The message is not valid in the `graphql-transport-ws` protocol.',
  },
  UNAUTHENTICATED: {
    code: 4401,
    reconnects: false,
    meaning: 'The credential or API key is not valid, or an operation was sent before `connection_ack`.',
  },
  RENEW: {
    code: 4403,
    reconnects: true,
    meaning:
      'The token has expired or was revoked, or the API key or signing key of the connection is no longer valid. Reconnect with a new credential: graphql-ws calls `connectionParams` again.',
  },
  DISCONNECTED: {
    code: 1008,
    reconnects: false,
    meaning:
      'A moderator or a backend closed the connection. The credential stays valid; reconnect only when the user asks for it.',
  },
  SLOW_OR_SILENT: {
    code: 4408,
    reconnects: true,
    meaning:
      'The client did not read fast enough, or did not complete the handshake in time. Reconnect and resume from the last cursor.',
  },
  DUPLICATE_OPERATION: {
    code: 4409,
    reconnects: false,
    meaning: 'The id of a running operation was used for another operation.',
  },
  DUPLICATE_INIT: {
    code: 4429,
    reconnects: false,
    meaning:
      'The client sent a second `connection_init`. To renew a credential, use the mutation `reauthenticate`.',
  },
  TOO_BIG: {
    code: 1009,
    reconnects: false,
    meaning: 'A message is larger than SIGNALBOX_MAX_MESSAGE_BYTES.',
  },
  FAULT: {
    code: 4500,
    reconnects: false,
    meaning: 'The service failed to handle the message. The log of the service has the details.',
  },
} as const;

export type CloseName = keyof typeof CLOSE_CODES;

/** Maps the reason of a closed connection to a close. Undefined if the peer has already left. */
export function closeNameForReason(reason: CloseReason): CloseName | undefined {
  switch (reason) {
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REVOKED':
    case 'KEY_ENDED':
      return 'RENEW';
    case 'DISCONNECTED':
      return 'DISCONNECTED';
    case 'SLOW_CONSUMER':
      return 'SLOW_OR_SILENT';
    case 'DRAINING':
      return 'RESTART';
    case 'CLIENT_LEFT':
    case 'CONNECTION_LOST':
      return undefined;
  }
}

/** Maps the error of a refused `connection_init` to a close. */
export function closeNameForError(error: unknown): CloseName {
  if (!(error instanceof SignalboxError)) return 'FAULT';
  switch (error.code) {
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REVOKED':
      return 'RENEW';
    case 'LIMIT_EXCEEDED':
    case 'RATE_LIMITED':
    case 'UNAVAILABLE':
      return 'OVERLOAD';
    default:
      return 'UNAUTHENTICATED';
  }
}

/** Maps a close code of graphql-ws to a close. Its codes equal those of CLOSE_CODES; others count as BAD_MESSAGE. */
export function closeNameForCode(code: number): CloseName {
  const entry = Object.entries(CLOSE_CODES).find(([, row]) => row.code === code);
  return entry ? (entry[0] as CloseName) : 'BAD_MESSAGE';
}
