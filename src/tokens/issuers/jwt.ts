import { isUtf8 } from 'node:buffer';
import { compactVerify, type CryptoKey } from 'jose';
import { decodeBase64Url } from './base64.ts';
import { type IssuerKey } from './issuer.ts';
import { refused } from '../credential-errors.ts';

/** A JSON object as it came: nothing of it has been checked. */
export type Unchecked = Readonly<Record<string, unknown>>;

export interface Jwt {
  header: Unchecked;
  payload: Unchecked;
}

/** The parts of a compact JWT, of which nothing is proved yet. Each must be base64url as RFC 7515 spells it. */
export function readJwt(credential: string): Jwt {
  const parts = credential.split('.', 4);
  const [header, payload, signature] = parts.map(decodeBase64Url);
  if (parts.length !== 3 || !header || !payload || !signature) throw refused('it is no JWT');
  return { header: parseObject(header), payload: parseObject(payload) };
}

/** A JSON object in UTF-8. */
export function parseObject(bytes: Buffer): Unchecked {
  try {
    const value: unknown = isUtf8(bytes) ? JSON.parse(bytes.toString()) : null;
    if (isObject(value)) return value;
  } catch {
    // Not JSON: as below.
  }
  throw refused('it is no JWT of JSON objects');
}

export function isObject(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses what no verifier of ours takes, whatever its kind: no algorithm, and extensions that must be understood. */
export function checkHeader({ alg, crit }: Unchecked): void {
  if (typeof alg !== 'string' || alg.trim().toLowerCase() === 'none') throw refused('it is not signed');
  if (crit !== undefined) throw refused('its header has extensions');
}

/** The JWT, once one of `keys` is found to have signed it with one of `algorithms`. */
export async function verifyHmac(
  credential: string,
  keys: readonly IssuerKey[],
  algorithms: readonly string[],
): Promise<Jwt & { key: IssuerKey }> {
  const jwt = readJwt(credential);
  checkHeader(jwt.header);
  for (const key of keys) {
    if (await isSignedWith(key.key, credential, algorithms)) return { ...jwt, key };
  }
  throw unsigned();
}

/** Whether `key` made the signature. The header's own keys and addresses of keys are never looked at. */
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

/** The same words for an unknown key and for a wrong signature. */
export function unsigned() {
  return refused('no key of its issuer signed it');
}
