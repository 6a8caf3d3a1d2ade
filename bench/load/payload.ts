/** Every message ends with its number, in eight digits: `"n":"00000001"`. */
export const DIGITS = 8;
/** The text before the number, in every protocol. */
export const NUMBER_MARK = '"n":"';

/** `n` in eight digits, with leading zeros. */
export function digitsOf(n: number): string {
  return String(n).padStart(DIGITS, '0');
}

/** Parses the eight digits at an offset. */
export function numberAt(bytes: Buffer, offset: number): number {
  let n = 0;
  for (let at = offset; at < offset + DIGITS; at++) n = n * 10 + bytes[at]! - 48;
  return n;
}
