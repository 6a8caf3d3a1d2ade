/** The prefix names the type of the object, so that an id cannot be mistaken for one of another type. */
export type IdPrefix =
  | 'project'
  | 'key'
  | 'token'
  | 'channel'
  | 'instance'
  | 'msg'
  | 'conn'
  | 'sign'
  | 'jti'
  | 'node'
  | 'err'
  | 'issuer'
  | 'restriction';

/** Returns `count` cryptographically secure random bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** Generates an id such as `token_06f3k…`. The ids of one prefix sort by creation time. */
export type NewId = (prefix: IdPrefix) => string;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 16;
const CHARACTERS = TIME_CHARACTERS + RANDOM_BYTES;
/** The alphabet as bytes. */
const CODES = Buffer.from(ALPHABET);

/** Generates ids of 50 bits of time (milliseconds since 1970) and 80 random bits, in Crockford's Base32. */
export function createIds(now: () => number, randomBytes: RandomBytes): NewId {
  /** The last id of each prefix, as bytes: every message has an id, and strings of single characters cost ten times as much. */
  const lastIds = new Map<IdPrefix, { bytes: Buffer; time: number }>();
  return (prefix) => {
    let last = lastIds.get(prefix);
    if (!last) {
      last = { bytes: Buffer.from(`${prefix}_`.padEnd(prefix.length + 1 + CHARACTERS)), time: Number.NaN };
      lastIds.set(prefix, last);
    }
    const { bytes } = last;
    const start = prefix.length + 1;
    const time = now();
    if (time !== last.time) {
      encodeTime(time, bytes, start);
      last.time = time;
    }
    encodeRandom(randomBytes(RANDOM_BYTES), bytes, start + TIME_CHARACTERS);
    // One flat string: ids are kept for each connection, and `+` would make a tree.
    return bytes.toString('latin1');
  };
}

const GENERATED_ID = /^[a-z]+_([0-9a-hjkmnp-tv-z]{10})[0-9a-hjkmnp-tv-z]{16}$/;

/** When an id was generated, in milliseconds since 1970. Undefined for a name that has not the form of a generated id. */
export function timeOfId(id: string): number | undefined {
  const time = GENERATED_ID.exec(id)?.[1];
  if (time === undefined) return undefined;
  return Array.from(time, (character) => ALPHABET.indexOf(character)).reduce(
    (sum, digit) => sum * 32 + digit,
    0,
  );
}

const POOL_BYTES = 4096;

/**
 * Requests random bytes in blocks of 4096, because a call of `randomBytes` costs as much as a thousand bytes. Do not use
 * it for secrets: they would stay in memory with the rest of the block.
 */
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

function encodeTime(epochMs: number, target: Buffer, start: number): void {
  let rest = epochMs;
  for (let at = start + TIME_CHARACTERS - 1; at >= start; at--) {
    target[at] = CODES[rest % 32] as number;
    rest = Math.floor(rest / 32);
  }
}

/** One character per byte. */
function encodeRandom(bytes: Uint8Array, target: Buffer, start: number): void {
  for (let index = 0; index < RANDOM_BYTES; index++)
    target[start + index] = CODES[(bytes[index] as number) % 32] as number;
}
