/** Every message ends in eight digits, which count the messages: `"n":"00000001"`. */
export const DIGITS = 8;
/** What follows the name of the number, in every dialect. */
export const NUMBER_MARK = '"n":"';

/** `n` with leading zeros. */
export function digitsOf(n: number): string {
  return String(n).padStart(DIGITS, '0');
}

/** Reads the digits at an offset. */
export function numberAt(bytes: Buffer, offset: number): number {
  let n = 0;
  for (let at = offset; at < offset + DIGITS; at++) n = n * 10 + bytes[at]! - 48;
  return n;
}
