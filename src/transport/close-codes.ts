import { type CloseReason } from '../connections/close-reason.ts';
import { SignalboxError } from '../errors.ts';

/**
 * All codes with which Signalbox closes a WebSocket. `reason` is the close reason unless an error caused the close; the
 * close reason is then the message of that error. `reconnects` tells whether an unpatched graphql-ws client with
 * retries enabled reconnects after the code.
 */
export const CLOSE_CODES = {
  RESTART: {
    code: 1012,
    reconnects: true,
    reason: 'The service is restarting. Resume with the last cursor.',
    meaning:
      'The service is restarting or shutting down, or has lost its database. Reconnect and resume from the last cursor.',
  },
  OVERLOAD: {
    code: 1013,
    reconnects: true,
    reason: 'The service is overloaded. Reconnect later.',
    meaning: 'The token has too many connections, or the service is overloaded. Reconnect later.',
  },
  BAD_MESSAGE: {
    code: 4400,
    reconnects: false,
    reason: 'The message is not valid in the graphql-transport-ws protocol.',
    meaning:
      'The message is not valid in the `graphql-transport-ws` protocol, or `since` in `connection_init` is not a cursor.',
  },
  UNAUTHENTICATED: {
    code: 4401,
    reconnects: false,
    reason: 'Operations are accepted after connection_ack only.',
    meaning:
      'The credential or API key is not valid, `connection_init` has an unknown key or an empty credential, or an operation was sent before `connection_ack`.',
  },
  RENEW: {
    code: 4403,
    reconnects: true,
    reason: 'The credential is no longer valid. Reconnect with a new one.',
    meaning:
      'The token has expired or was revoked, or the API key or signing key of the connection is no longer valid. Reconnect with a new credential: graphql-ws calls `connectionParams` again.',
  },
  DISCONNECTED: {
    code: 1008,
    reconnects: false,
    reason: 'The connection was closed by a moderator or a backend.',
    meaning:
      'A moderator or a backend closed the connection. The credential stays valid; reconnect only when the user asks for it.',
  },
  SLOW_OR_SILENT: {
    code: 4408,
    reconnects: true,
    reason: 'connection_init was not acknowledged in time.',
    meaning:
      'The client did not read fast enough, or did not complete the handshake in time. Reconnect and resume from the last cursor.',
  },
  DUPLICATE_OPERATION: {
    code: 4409,
    reconnects: false,
    reason: 'The id of the operation is in use by a running operation.',
    meaning: 'The id of a running operation was used for another operation.',
  },
  DUPLICATE_INIT: {
    code: 4429,
    reconnects: false,
    reason: 'connection_init was sent twice. Renew a credential with the mutation reauthenticate.',
    meaning:
      'The client sent a second `connection_init`. To renew a credential, use the mutation `reauthenticate`.',
  },
  TOO_BIG: {
    code: 1009,
    reconnects: false,
    reason: 'The message is larger than SIGNALBOX_MAX_MESSAGE_BYTES.',
    meaning: 'A message is larger than SIGNALBOX_MAX_MESSAGE_BYTES.',
  },
  FAULT: {
    code: 4500,
    reconnects: false,
    reason: 'The service failed to handle the message. Its log contains the details.',
    meaning: 'The service failed to handle the message. The log of the service has the details.',
  },
} as const;

export type CloseName = keyof typeof CLOSE_CODES;

const OWN_CODES: ReadonlySet<number> = new Set(Object.values(CLOSE_CODES).map(({ code }) => code));

/** Whether a close code is one of the service or of the WebSocket protocol; a client can send thousands of others. */
export function isKnownCloseCode(code: number): boolean {
  return OWN_CODES.has(code) || (code >= 1000 && code <= 1015);
}

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

/** The longest close reason that a close frame can carry, in bytes of UTF-8. */
const MAX_REASON_BYTES = 123;

/** Cuts a sentence at a character boundary, so that a close frame can carry it. */
export function toCloseReason(sentence: string): string {
  if (Buffer.byteLength(sentence) <= MAX_REASON_BYTES) return sentence;
  const bytes = Buffer.from(sentence);
  let end = MAX_REASON_BYTES;
  // The continuation bytes of UTF-8 are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
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
    case 'BAD_USER_INPUT':
      return 'BAD_MESSAGE';
    default:
      return 'UNAUTHENTICATED';
  }
}

/** Maps a close code of graphql-ws to a close. Its codes equal those of CLOSE_CODES; others count as BAD_MESSAGE. */
export function closeNameForCode(code: number): CloseName {
  const entry = Object.entries(CLOSE_CODES).find(([, row]) => row.code === code);
  return entry ? (entry[0] as CloseName) : 'BAD_MESSAGE';
}
