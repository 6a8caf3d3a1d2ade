import { SignalboxError } from '../errors.ts';

/** Longer ones are not read. */
export const MAX_CREDENTIAL_BYTES = 8192;

export function unauthenticated(): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', 'The credential is not one of ours.');
}

/** Why a credential opens nothing, in words that help whoever mints it and quote nothing of it but names of claims. */
export function refused(why: string): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', `The credential is refused: ${why}.`);
}

export function tokenExpired(): SignalboxError {
  return new SignalboxError('TOKEN_EXPIRED', 'The token has expired.');
}

export function tokenRevoked(): SignalboxError {
  return new SignalboxError('TOKEN_REVOKED', 'The token was revoked.');
}
