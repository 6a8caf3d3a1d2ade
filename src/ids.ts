/** The prefix says what an id names, so that a pasted id is never mistaken for another kind. */
export type IdPrefix =
  | 'project'
  | 'key'
  | 'token'
  | 'channel'
  | 'msg'
  | 'conn'
  | 'sign'
  | 'jti'
  | 'node'
  | 'err'
  | 'issuer'
  | 'restriction';

/** `count` bytes nobody can guess. */
export type RandomBytes = (count: number) => Uint8Array;

/** Makes an id such as `token_06f3k…`: the ids of one prefix sort by the time they were made. */
export type NewId = (prefix: IdPrefix) => string;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 16;

/** Ids of 50 bits of time (milliseconds) and 80 bits of chance, in Crockford's base 32. */
export function createIds(now: () => number, randomBytes: RandomBytes): NewId {
  return (prefix) => `${prefix}_${timePart(now())}${randomPart(randomBytes(RANDOM_BYTES))}`;
}

const POOL_BYTES = 4096;

/** `randomBytes`, asked for many at a time: a call costs as much as a thousand bytes. Those of secrets are not pooled. */
export function pooled(randomBytes: RandomBytes): RandomBytes {
  let pool: Uint8Array = new Uint8Array();
  let used = 0;
  return (count) => {
    if (used + count > pool.length) {
      pool = randomBytes(Math.max(POOL_BYTES, count));
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
}

function timePart(epochMs: number): string {
  let text = '';
  for (let rest = epochMs; text.length < TIME_CHARACTERS; rest = Math.floor(rest / 32)) {
    text = ALPHABET.charAt(rest % 32) + text;
  }
  return text;
}

function randomPart(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += ALPHABET.charAt(byte % 32);
  return text;
}
