import { SignalboxError } from '../errors.ts';
import { type RefusalReason } from '../refusal-reason.ts';

/**
 * Upper limit of a credential that this service signs, in bytes of UTF-8. Longer credentials are refused before they are
 * parsed. For other issuers see the setting `maxCredentialBytes`.
 */
export const MAX_CREDENTIAL_BYTES = 8192;

/** For credentials that are not verified: the message is the same for an unknown and a forged credential. */
export function unauthenticated(reason: RefusalReason = 'CREDENTIAL'): SignalboxError {
  return new SignalboxError(
    'UNAUTHENTICATED',
    'The credential is malformed, unknown or not accepted by this project. Fetch a new one from your backend.',
    { reason },
  );
}

/**
 * For credentials that another issuer signs: the message names the fault and the fix for the developer who mints them.
 *
 * @param problem A clause without a final full stop. It may name claims, but must quote no value of the credential.
 * @example refused('its “exp” is missing; set it to a number of seconds since 1970')
 */
export function refused(problem: string, reason: RefusalReason = 'CLAIMS'): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', `The credential is refused: ${problem}.`, { reason });
}

export function tokenExpired(): SignalboxError {
  return new SignalboxError(
    'TOKEN_EXPIRED',
    'The token has expired. Fetch a new credential from your backend.',
  );
}

export function tokenRevoked(): SignalboxError {
  return new SignalboxError(
    'TOKEN_REVOKED',
    'The token was revoked. Fetch a new credential from your backend.',
  );
}
