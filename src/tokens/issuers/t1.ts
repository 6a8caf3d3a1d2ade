import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { decodeBase64 } from './base64.ts';
import { refused } from '../credential-errors.ts';

export const T1_PREFIX = 'T1==';
const HEAD_FIELDS = ['partner_id', 'sig', 'sdk_version'];
const SIGNATURE = /^[0-9a-f]{40}$/i;

/** A token of OpenTok as it was before it took to JWTs: `T1==` + base64(`partner_id=…&sig=…:` + what is signed). */
export interface T1 {
  partnerId: string;
  /** HMAC-SHA1 of `signed`. */
  signature: Buffer;
  /** A form, in the order and the escapes of the SDK that made it; the signature is over these very bytes. */
  signed: Buffer;
}

export function parseT1(credential: string): T1 {
  const text = decodeBase64(credential.slice(T1_PREFIX.length));
  const end = text?.indexOf(':') ?? -1;
  if (!text || end < 0) throw malformed();
  const head = parseForm(text.subarray(0, end));
  const [partnerId, signature] = [head.get('partner_id'), head.get('sig')];
  if (partnerId === undefined || signature === undefined || !SIGNATURE.test(signature)) throw malformed();
  if ([...head.keys()].some((name) => !HEAD_FIELDS.includes(name))) throw malformed();
  return { partnerId, signature: Buffer.from(signature, 'hex'), signed: text.subarray(end + 1) };
}

export function isT1SignedWith(key: KeyObject, { signature, signed }: T1): boolean {
  return timingSafeEqual(createHmac('sha1', key).update(signed).digest(), signature);
}

/**
 * The fields of a form. None may occur twice: SDKs that did not escape connection data let whoever chose it add
 * fields, such as another role.
 */
export function parseForm(bytes: Buffer): ReadonlyMap<string, string> {
  if (!isUtf8(bytes)) throw malformed();
  const fields = new Map<string, string>();
  for (const field of bytes.toString().split('&')) {
    const end = field.indexOf('=');
    const name = unescape(field.slice(0, Math.max(0, end)));
    if (end < 0 || fields.has(name)) throw malformed();
    fields.set(name, unescape(field.slice(end + 1)));
  }
  return fields;
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed();
  }
}

function malformed() {
  return refused('it is no T1 token, or says something twice');
}
