import { createHmac } from 'node:crypto';

/** The text that the signing secret is derived with; part of the API. */
export const SIGNING_LABEL = 'signalbox credential';

/**
 * The secret that a backend signs credentials with, derived from the whole text of its API key. A holder of it can
 * sign credentials, but cannot call the API with it. 32 bytes.
 * @example
 * const secret = createHmac('sha256', apiKey).update('signalbox credential').digest();
 */
export function deriveSigningSecret(apiKey: string): Buffer {
  return createHmac('sha256', apiKey).update(SIGNING_LABEL).digest();
}
