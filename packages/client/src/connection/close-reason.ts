/** Why a socket or a client ended. */
export type EndReason =
  | 'closed' // by `close()`
  | 'signedOut' // the credential function threw `SignedOut`
  | 'disconnected' // by a moderator or a backend; the credential stays valid
  | 'expired' // the token expired, and the client has no other credential
  | 'revoked' // the token was revoked, and the client has no other credential
  | 'unauthenticated' // the credential is not valid
  | 'protocol' // a mistake of the client or of a proxy between client and service
  | 'restarting'
  | 'overloaded'
  | 'slow'
  | 'lost'; // no close frame: a network that failed, or a service that does not answer

/** How a client goes on after a close code. */
export interface CloseMeaning {
  readonly reason: EndReason;
  /** `retry`: reconnect and resume. `renew`: reconnect with a new credential. `end`: only when the user asks for it. */
  readonly then: 'retry' | 'renew' | 'end';
}

const MEANINGS: Readonly<Record<number, CloseMeaning>> = {
  1008: { reason: 'disconnected', then: 'end' },
  1009: { reason: 'protocol', then: 'end' },
  1012: { reason: 'restarting', then: 'retry' },
  1013: { reason: 'overloaded', then: 'retry' },
  4400: { reason: 'protocol', then: 'end' },
  4401: { reason: 'unauthenticated', then: 'renew' },
  4403: { reason: 'expired', then: 'renew' },
  4406: { reason: 'protocol', then: 'end' },
  4408: { reason: 'slow', then: 'retry' },
  4409: { reason: 'protocol', then: 'end' },
  4429: { reason: 'protocol', then: 'end' },
};

/** The meaning of a close code. `text` tells a revoked token from an expired one. Other codes are a lost socket. */
export function meaningOfClose(code: number, text: string): CloseMeaning {
  const meaning = MEANINGS[code] ?? { reason: 'lost', then: 'retry' };
  return code === 4403 && /revoked/i.test(text) ? { ...meaning, reason: 'revoked' } : meaning;
}
