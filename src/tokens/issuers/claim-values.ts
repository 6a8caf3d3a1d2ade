import { SignalboxError } from '../../errors.ts';
import { parseName, parseText } from '../../names.ts';
import { isObject, type Unchecked } from './jwt.ts';
import { refused } from '../credential-errors.ts';

/** A claim by its name, or by a JSON pointer (RFC 6901) when the name starts with `/`; never what an object inherits. */
export function claimAt(claims: Unchecked, name: string): unknown {
  if (!name.startsWith('/')) return own(claims, name);
  const steps = name.slice(1).split('/');
  return steps.reduce<unknown>(
    (value, step) => own(value, step.replaceAll('~1', '/').replaceAll('~0', '~')),
    claims,
  );
}

const INDEX = /^(0|[1-9]\d{0,3})$/;

function own(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return INDEX.test(name) ? (value as unknown[])[Number(name)] : undefined;
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A user's name, which may be an e-mail address; a number is none, for 1 and "1" would be one user. */
export function identityOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw refused(`its “${name}” must be a string that names a user`);
  return claimed(() => parseName('emailIdentity', value, `its “${name}”`));
}

/** Null: it says nothing. */
export function roleOf(value: unknown, name: string): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refused(`its “${name}” must be the name of a role`);
  return claimed(() => parseName('role', value, `its “${name}”`));
}

/** Connection data: at most 1,000 characters. Null: it says nothing. */
export function textOf(value: unknown, name: string): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refused(`its “${name}” must be a string`);
  return claimed(() => parseText(value, `its “${name}”`));
}

/** What `parse` returns; what it throws as a fault of an input is one of the credential. */
export function claimed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    throw refused(error.message.replace(/^input\./, '').replace(/\.$/, ''));
  }
}
