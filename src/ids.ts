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

/** Generates ids of 50 bits of time (milliseconds since 1970) and 80 random bits, in Crockford's Base32. */
export function createIds(now: () => number, randomBytes: RandomBytes): NewId {
  return (prefix) => {
    const characters = [...encodeTime(now()), ...encodeRandom(randomBytes(RANDOM_BYTES))];
    // Joined in one piece: ids are kept for each connection, and `+` would make a tree of 26 strings.
    return [prefix, '_', ...characters].join('');
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

function encodeTime(epochMs: number): string[] {
  const characters: string[] = [];
  for (let rest = epochMs; characters.length < TIME_CHARACTERS; rest = Math.floor(rest / 32))
    characters.unshift(ALPHABET.charAt(rest % 32));
  return characters;
}

function encodeRandom(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte % 32));
}
