import { isUtf8 } from 'node:buffer';
import { compactVerify, type CryptoKey } from 'jose';
import { isObject } from '../../is-object.ts';
import { decodeBase64Url } from './base64.ts';
import { type IssuerKey } from './issuer.ts';
import { refused } from '../credential-errors.ts';

/** A JSON object of unknown content: every property has to be checked before use. */
export type Unchecked = Readonly<Record<string, unknown>>;

export interface Jwt {
  header: Unchecked;
  payload: Unchecked;
}

/**
 * Splits and decodes a JWT in JWS Compact Serialization (RFC 7515, section 7.1). The signature is not verified. Claims that
 * are null are left out.
 * @throws UNAUTHENTICATED unless it has three parts in canonical base64url, two of them JSON objects
 */
export function readJwt(credential: string): Jwt {
  const parts = credential.split('.', 4);
  const [header, payload, signature] = parts.map(decodeBase64Url);
  if (parts.length !== 3 || !header || !payload || !signature) {
    throw refused(describeMistake(credential), 'MALFORMED');
  }
  return { header: parseObject(header), payload: withoutNulls(parseObject(payload)) };
}

/** Texts that a program sends for a credential that it does not have. They are no secrets, so they may be repeated. */
const NO_CREDENTIAL = /^(undefined|null|NaN|\[object \w+\])$/;

function describeMistake(credential: string): string {
  if (NO_CREDENTIAL.test(credential))
    return `it is the text “${credential}”; the variable of the credential holds no string`;
  if (/^(["']).*\1$/s.test(credential)) return 'it is in quotation marks; send it without them';
  return 'it is not a JWT; send header, payload and signature in base64url, separated by dots';
}

/** A claim that is null counts as absent: several JWT libraries write null for a value that was not set. */
function withoutNulls(payload: Unchecked): Unchecked {
  const claims = Object.entries(payload);
  const present = claims.filter(([, value]) => value !== null);
  return present.length === claims.length ? payload : Object.fromEntries(present);
}

/** @throws UNAUTHENTICATED unless the bytes are a JSON object in UTF-8 */
export function parseObject(bytes: Buffer): Unchecked {
  try {
    const value: unknown = isUtf8(bytes) ? JSON.parse(bytes.toString()) : null;
    if (isObject(value)) return value;
  } catch {
    // Malformed JSON is refused like JSON that is not an object.
  }
  throw refused('its header and payload must be JSON objects in UTF-8', 'MALFORMED');
}

/**
 * Refuses headers that the verifier of no kind accepts.
 * @throws UNAUTHENTICATED for `alg: none`, an absent `alg`, and critical extensions (RFC 7515, section 4.1.11)
 */
export function checkHeader({ alg, crit }: Unchecked): void {
  if (typeof alg !== 'string' || alg.trim().toLowerCase() === 'none') {
    throw refused('it is not signed; sign it and name the algorithm in “alg”', 'MALFORMED');
  }
  if (crit !== undefined) throw refused('its header has critical extensions; remove “crit”', 'MALFORMED');
}

/**
 * Verifies a JWT that is signed with a shared secret. The keys are tried in order.
 * @throws UNAUTHENTICATED unless one of `keys` signed it with one of `algorithms`
 */
export async function verifyHmac(
  credential: string,
  keys: readonly IssuerKey[],
  algorithms: readonly string[],
): Promise<Jwt & { key: IssuerKey }> {
  return verifyWithKeys(credential, keys, () => algorithms);
}

/**
 * Verifies a JWT with the first key that signed it. The key decides which algorithms are allowed, never the header.
 * @throws UNAUTHENTICATED unless one of `keys` signed it with one of its algorithms
 */
export async function verifyWithKeys(
  credential: string,
  keys: readonly IssuerKey[],
  algorithmsOf: (key: IssuerKey['key']) => readonly string[],
): Promise<Jwt & { key: IssuerKey }> {
  const jwt = readJwt(credential);
  checkHeader(jwt.header);
  for (const key of keys) {
    if (await isSignedWith(key.key, credential, algorithmsOf(key.key))) return { ...jwt, key };
  }
  throw invalidSignature();
}

/**
 * Whether `key` made the signature with one of `algorithms`. Keys and key URLs in the header (`jwk`, `jku`, `x5c`, `x5u`)
 * are ignored: the sender chooses them.
 */
export async function isSignedWith(
  key: IssuerKey['key'] | CryptoKey,
  credential: string,
  algorithms: readonly string[],
): Promise<boolean> {
  try {
    await compactVerify(credential, key, { algorithms: [...algorithms] });
    return true;
  } catch {
    return false;
  }
}

/** One message for an unknown key, another algorithm and a wrong signature, so that it does not reveal which keys exist. */
export function invalidSignature() {
  return refused(
    'no key of its issuer signed it; check the id of the key, the secret and the algorithm',
    'SIGNATURE',
  );
}
