/** Why a socket or a client ended. */
export type EndReason =
  | 'closed' // by `close()`
  | 'signedOut' // the credential function threw `SignedOut`
  | 'disconnected' // by a moderator or a backend; the credential stays valid
  | 'expired' // the token expired, and the client has no other credential
  | 'revoked' // the token was revoked, and the client has no other credential
  | 'unauthenticated' // the credential is not valid
  | 'protocol' // a mistake of the client or of a proxy between client and service; the service refuses the events
  | 'restarting'
  | 'overloaded'
  | 'slow'
  | 'lost'; // no close frame: a network that failed, or a service that does not answer

/** How a client goes on after a close code. */
export interface CloseMeaning {
  readonly reason: EndReason;
  /** `retry`: reconnect and resume. `renew`: reconnect with a new credential. `end`: only when the user asks for it. */
  readonly then: 'retry' | 'renew' | 'end';
  /** The code of the error. */
  readonly code: string;
}

const REASONS: Readonly<Record<number, EndReason>> = {
  1008: 'disconnected',
  1009: 'protocol',
  1012: 'restarting',
  1013: 'overloaded',
  4400: 'protocol',
  4401: 'unauthenticated',
  4403: 'expired',
  4406: 'protocol',
  4408: 'slow',
  4409: 'protocol',
  4429: 'protocol',
};

/** How a client goes on, and the code of the error, by the reason. */
const MEANINGS: Readonly<Partial<Record<EndReason, readonly [CloseMeaning['then'], string]>>> = {
  // Another credential helps.
  expired: ['renew', 'TOKEN_EXPIRED'],
  revoked: ['renew', 'TOKEN_REVOKED'],
  unauthenticated: ['renew', 'UNAUTHENTICATED'],
  // A reconnect would end the same way.
  disconnected: ['end', 'DISCONNECTED'],
  protocol: ['end', 'PROTOCOL'],
};

/** The meaning of a close code. `text` tells a revoked token from an expired one. Other codes are a lost socket. */
export function meaningOfClose(closeCode: number, text: string): CloseMeaning {
  let reason = REASONS[closeCode] ?? 'lost';
  if (closeCode === 4403 && /revoked/i.test(text)) reason = 'revoked';
  const [then, code] = MEANINGS[reason] ?? ['retry', 'CONNECTION_LOST'];
  return { reason, then, code };
}
