import { badInput, SignalboxError } from './errors.ts';

/** The rules for all names that callers choose. */
const RULES = {
  channel: { characters: /[A-Za-z0-9_.:@-]/, allowed: 'letters, digits and _ . : @ -', maxLength: 255 },
  project: { characters: /[a-z0-9-]/, allowed: 'lower-case letters, digits and -', maxLength: 63 },
  /** Excludes the characters that Twilio reserves: ! * ' ( ) ; : @ & = + $ , / ? % # [ ] */
  identity: {
    characters: /[A-Za-z0-9_.|~-]/,
    allowed: 'letters, digits and _ . | ~ - (also @ and + with emailIdentities)',
    maxLength: 255,
  },
  /** An identity in a project or from an issuer that allows e-mail addresses as identities. */
  emailIdentity: {
    characters: /[A-Za-z0-9_.|~@+-]/,
    allowed: 'letters, digits and _ . | ~ @ + -',
    maxLength: 255,
  },
  /** An identity in a lookup, which matches identities created under any of the rules. */
  anyIdentity: { characters: /[\x21-\x7e]/, allowed: 'visible ASCII characters', maxLength: 255 },
  role: { characters: /[A-Za-z0-9_-]/, allowed: 'letters, digits and _ -', maxLength: 64 },
  event: { characters: /[A-Za-z0-9_.:~-]/, allowed: 'letters, digits and _ . : ~ -', maxLength: 128 },
  idempotencyKey: { characters: /[\x21-\x7e]/, allowed: 'visible ASCII characters', maxLength: 255 },
} as const;

export type NameKind = keyof typeof RULES;

/**
 * The rule in words, for schema descriptions.
 * @example describeName('project') // 1–63 characters: lower-case letters, digits and -
 */
export function describeName(kind: NameKind): string {
  const rule = RULES[kind];
  return `1–${rule.maxLength} characters: ${rule.allowed}`;
}

/**
 * Returns `value` unchanged if it satisfies the rule.
 * @throws BAD_USER_INPUT that names `field`, the first invalid character and its position, counted from 0
 */
export function parseName(kind: NameKind, value: string, field: string): string {
  const rule = RULES[kind];
  if (value === '') throw badInput(field, 'must not be empty.');
  if (value.length > rule.maxLength) {
    throw badInput(field, `has ${value.length} characters; at most ${rule.maxLength} are allowed.`);
  }
  for (let position = 0; position < value.length; position++) {
    if (!rule.characters.test(value.charAt(position))) {
      const character = JSON.stringify(String.fromCodePoint(value.codePointAt(position) ?? 0));
      throw badInput(field, `has ${character} at position ${position}; allowed are ${rule.allowed}.`);
    }
  }
  return value;
}

export const MAX_TEXT_LENGTH = 1000;

/**
 * Validates free text that other users see: at most 1,000 characters; no control characters except line breaks and tabs.
 * @throws BAD_USER_INPUT
 */
export function parseText(value: string, field: string): string {
  const length = Array.from(value).length;
  if (length > MAX_TEXT_LENGTH) {
    throw badInput(field, `has ${length} characters; at most ${MAX_TEXT_LENGTH} are allowed.`);
  }
  // eslint-disable-next-line no-control-regex -- the pattern finds control characters
  const position = value.search(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/);
  if (position >= 0) throw badInput(field, `has a control character at position ${position}.`);
  return value;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const MAX_JSON_DEPTH = 32;

/**
 * Validates that `value` has at most `maxBytes` bytes as JSON in UTF-8, and at most 32 levels.
 * @throws PAYLOAD_TOO_LARGE when it is larger, BAD_USER_INPUT when it is deeper
 */
export function parseJson(value: unknown, maxBytes: number, field: string): Json {
  requireJson(value, maxBytes, field);
  return value as Json;
}

/** The JSON text of a value with the members of every object sorted by name, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

/** Returns the size of `value` as JSON, in bytes of UTF-8. @throws as `parseJson` */
export function requireJson(value: unknown, maxBytes: number, field: string): number {
  if (depthOf(value, MAX_JSON_DEPTH + 1) > MAX_JSON_DEPTH) {
    throw badInput(field, `is nested more than ${MAX_JSON_DEPTH} levels deep.`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  requireBytes(bytes, maxBytes, field);
  return bytes;
}

/** @throws PAYLOAD_TOO_LARGE that names `field` and both sizes, when `bytes` exceeds `maxBytes` */
export function requireBytes(bytes: number, maxBytes: number, field: string): void {
  if (bytes <= maxBytes) return;
  throw new SignalboxError(
    'PAYLOAD_TOO_LARGE',
    `${field}: has ${bytes} bytes; at most ${maxBytes} are allowed.`,
    { field, limit: maxBytes },
  );
}

/** The nesting depth of `value`. Stops counting at `stopAt`, so that a deeply nested value cannot exhaust the stack. */
function depthOf(value: unknown, stopAt: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (stopAt <= 1) return 1;
  let deepest = 0;
  for (const child of Object.values(value)) deepest = Math.max(deepest, depthOf(child, stopAt - 1));
  return deepest + 1;
}

/**
 * The URL that a text denotes; undefined when it denotes none. Not `URL.canParse`: in Node 20 it refuses host names with letters
 * such as ü once it has been called often enough to be optimized.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
