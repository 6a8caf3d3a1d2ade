import { type CloseReason } from '../connections/connection.ts';

/** The only close codes we send. `comesBack`: what an unpatched graphql-ws client does. */
export const CLOSE_CODES = {
  RESTART: {
    code: 1012,
    comesBack: true,
    meaning: 'The service drains or restarts. Come back and resume by cursor.',
  },
  OVERLOAD: {
    code: 1013,
    comesBack: true,
    meaning: 'Too many connections, of this token or in all. Come back later.',
  },
  BAD_MESSAGE: { code: 4400, comesBack: false, meaning: 'The message is not of the protocol.' },
  UNAUTHENTICATED: {
    code: 4401,
    comesBack: false,
    meaning: 'The credential or API key is not one of ours, or an operation came before the acknowledgement.',
  },
  RENEW: {
    code: 4403,
    comesBack: true,
    meaning:
      'The token has expired or was revoked, or the key that let it in has ended. Come back with a new one: `connectionParams` is asked again.',
  },
  DISCONNECTED: {
    code: 1008,
    comesBack: false,
    meaning:
      'A moderator or a backend ended the connection. Its token is as good as before: come back if the user wants to.',
  },
  SLOW_OR_SILENT: {
    code: 4408,
    comesBack: true,
    meaning:
      'The client did not read fast enough, or the handshake took too long. Come back and resume by cursor.',
  },
  DUPLICATE_OPERATION: {
    code: 4409,
    comesBack: false,
    meaning: 'The id of a running operation was used again.',
  },
  DUPLICATE_INIT: {
    code: 4429,
    comesBack: false,
    meaning: 'A second `connection_init`. To renew a credential use the mutation `reauthenticate`.',
  },
  TOO_BIG: { code: 1009, comesBack: false, meaning: 'A message is larger than SIGNALBOX_MAX_MESSAGE_BYTES.' },
  FAULT: { code: 4500, comesBack: false, meaning: 'A fault of ours; the log has the details.' },
} as const;

export type CloseName = keyof typeof CLOSE_CODES;

/** How a socket is told why its connection ended; undefined: there is nobody left to tell. */
export function closeNameOf(reason: CloseReason): CloseName | undefined {
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
