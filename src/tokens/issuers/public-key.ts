import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { badInput } from '../../errors.ts';

const PEM_PREFIX = '-----BEGIN PUBLIC KEY-----';
/** RFC 7518, section 3.3: RS256 requires at least 2048 bits. The upper bound limits the cost of a verification. */
const [MIN_BITS, MAX_BITS] = [2048, 8192];
const MAX_PEM_LENGTH = 4096;

/** Whether the text of a key is a public key, as PEM, and not a shared secret. */
export const isPublicKey = (text: string): boolean => text.trimStart().startsWith('-----BEGIN ');

/**
 * Returns an RSA public key as PEM in its canonical form.
 * @throws BAD_USER_INPUT that names `field`, unless the text is an RSA public key of 2,048–8,192 bits
 */
export function parsePublicKey(pem: string, field: string): string {
  const key =
    pem.length <= MAX_PEM_LENGTH && pem.trim().startsWith(PEM_PREFIX) ? readPublicKey(pem) : undefined;
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa' || bits < MIN_BITS || bits > MAX_BITS)
    throw badInput(
      field,
      `must be an RSA public key of ${MIN_BITS}–${MAX_BITS} bits as PEM (${PEM_PREFIX}).`,
    );
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function readPublicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** The key of a stored text: a public key verifies asymmetric signatures only, a secret HMACs only. */
export function toIssuerKey(bytes: Uint8Array): KeyObject {
  const text = Buffer.from(bytes).toString();
  return isPublicKey(text) ? createPublicKey(text) : createSecretKey(bytes);
}
