import { SignalboxError } from './errors.ts';

/** The number of digits that distinguishes any two doubles; C and PHP write doubles with so many. */
const DOUBLE_DIGITS = 17;
/** Longer numbers are not looked into. */
const MAX_NUMBER_LENGTH = 400;

/**
 * Whether a number in JSON or GraphQL notation comes out of JSON.stringify as the number that was written. False for
 * integers that it rounds, for numbers beyond its range, and for fractions of more than 17 significant digits.
 * @example isExactNumber('9007199254740993') // false: the nearest double is 9007199254740992
 */
export function isExactNumber(text: string): boolean {
  if (text.length < 16 && !/e/i.test(text)) return true;
  const value = Number(text);
  if (!Number.isFinite(value) || text.length > MAX_NUMBER_LENGTH) return false;
  // Most fractions take this way, because the other one is ten times as slow.
  const isFewDigits =
    text.length <= DOUBLE_DIGITS + 1 || (text.startsWith('0.') && text.length <= DOUBLE_DIGITS + 2);
  if (isFewDigits && value !== 0 && Math.abs(value) < Number.MAX_SAFE_INTEGER) return true;
  const written = decimalOf(text);
  if (written === decimalOf(String(value))) return true;
  const digits = written.split('e')[0]?.replace('-', '').length ?? 0;
  return value !== 0 && Math.abs(value) < Number.MAX_SAFE_INTEGER && digits <= DOUBLE_DIGITS;
}

/** A notation that equal numbers share: the significant digits and the exponent of the last one. */
function decimalOf(text: string): string {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (integer + fraction).replace(/^0+/, '');
  let length = digits.length;
  while (digits[length - 1] === '0') length--;
  if (length === 0) return '0';
  return `${sign}${digits.slice(0, length)}e${Number(exponent) - fraction.length + digits.length - length}`;
}

/** Texts without this have exact numbers only. Cheap, because it runs on every request. */
const SUSPICIOUS = /\d[\d.]{15}|\d[eE][+-]?\d/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Finds the first number below the member `within` of a JSON text that JSON.parse would change without an error.
 * Undefined when there is none; a text that is not JSON is for JSON.parse to refuse.
 * @param within names of nested members, for example `['payload', 'variables']`
 * @returns the path of the number, for example `variables.data.ids[0]`
 */
export function findInexactNumber(text: string, within: readonly string[]): string | undefined {
  if (!SUSPICIOUS.test(text) || !canContain(text, within)) return undefined;
  const path: (string | number)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    switch (character) {
      case '"': {
        const end = endOfString(text, at);
        if (isName) path[path.length - 1] = nameOf(text.slice(at, end + 1));
        at = end;
        break;
      }
      case '{':
        path.push('');
        isName = true;
        break;
      case '[':
        path.push(0);
        isName = false;
        break;
      case '}':
      case ']':
        path.pop();
        isName = false;
        break;
      case ':':
        isName = false;
        break;
      case ',': {
        const last = path.at(-1);
        isName = typeof last === 'string';
        if (typeof last === 'number') path[path.length - 1] = last + 1;
        break;
      }
      default: {
        NUMBER.lastIndex = at;
        const number = character === '-' || isDigit(character) ? NUMBER.exec(text)?.[0] : undefined;
        if (number === undefined) break;
        if (within.every((name, index) => path[index] === name) && !isExactNumber(number))
          return pathToText(path.slice(within.length - 1));
        at += number.length - 1;
      }
    }
  }
  return undefined;
}

/**
 * Whether the text may contain all the names. Skips the slow scan of a `connection_init`, whose credential looks like numbers. An
 * escaped name counts as contained.
 */
function canContain(text: string, names: readonly string[]): boolean {
  return text.includes('\\') || names.every((name) => text.includes(name));
}

function nameOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

const isDigit = (character = '') => character >= '0' && character <= '9';

/** A path as error messages name it, for example `variables.data.ids[0]`. */
export function pathToText(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

/** The longest path that an error names, in characters: its names are chosen by the caller. */
const MAX_PATH_LENGTH = 200;

/** The error for a number that cannot be carried exactly. */
export function inexactNumber(path: string): SignalboxError {
  const field = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
  return new SignalboxError(
    'BAD_USER_INPUT',
    `JSON cannot carry the number at ${field} exactly; send it as a string.`,
    { field },
  );
}
