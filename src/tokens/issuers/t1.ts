import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { decodeAnyBase64 } from './base64.ts';
import { refused } from '../credential-errors.ts';

export const T1_PREFIX = 'T1==';
const HEAD_FIELDS = ['partner_id', 'sig', 'sdk_version'];
const HEX_SHA1 = /^[0-9a-f]{40}$/i;

/**
 * The OpenTok token format before JWT: `T1==` + base64(`partner_id=<API key>&sig=<hex HMAC-SHA1>:<data string>`), as
 * `generateToken()` of the OpenTok SDKs mints it (npm `opentok`: with its third argument `true`). Older SDKs add
 * `sdk_version` before `sig`, and the SDK for Java writes base64 with `-` and `_`.
 */
export interface T1 {
  /** The OpenTok API key. */
  partnerId: string;
  /** HMAC-SHA1 of `signed`. */
  signature: Buffer;
  /**
   * The data string: URL-encoded fields. The signature is over these bytes, and SDKs differ in the order and the
   * percent-encoding of fields, so the data string must never be serialised anew.
   */
  signed: Buffer;
}

/** Decodes a T1 token without verifying the signature. @throws UNAUTHENTICATED when it is malformed */
export function parseT1(credential: string): T1 {
  const text = decodeAnyBase64(credential.slice(T1_PREFIX.length));
  const end = text?.indexOf(':') ?? -1;
  if (!text || end < 0) throw malformed();
  const head = parseForm(text.subarray(0, end));
  const [partnerId, signature] = [head.get('partner_id'), head.get('sig')];
  if (partnerId === undefined || signature === undefined || !HEX_SHA1.test(signature)) throw malformed();
  if ([...head.keys()].some((name) => !HEAD_FIELDS.includes(name))) throw malformed();
  return { partnerId, signature: Buffer.from(signature, 'hex'), signed: text.subarray(end + 1) };
}

export function isT1SignedWith(key: KeyObject, { signature, signed }: T1): boolean {
  return timingSafeEqual(createHmac('sha1', key).update(signed).digest(), signature);
}

/**
 * Parses URL-encoded fields (`application/x-www-form-urlencoded`). Duplicate fields are refused: old SDKs did not encode
 * connection data, so a user who chose them could append `&role=moderator`.
 *
 * @throws UNAUTHENTICATED for a duplicate field, a field without `=`, malformed percent-encoding and invalid UTF-8
 */
export function parseForm(bytes: Buffer): ReadonlyMap<string, string> {
  if (!isUtf8(bytes)) throw malformed();
  const fields = new Map<string, string>();
  for (const field of bytes.toString().split('&')) {
    const end = field.indexOf('=');
    const name = decode(field.slice(0, Math.max(0, end)));
    if (end < 0 || fields.has(name)) throw malformed();
    fields.set(name, decode(field.slice(end + 1)));
  }
  return fields;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed();
  }
}

function malformed() {
  return refused(
    'it is not a valid T1 token; each field must be URL-encoded and must not be repeated',
    'MALFORMED',
  );
}
