import { isObject } from '../../is-object.ts';
import { SignalboxError } from '../../errors.ts';
import { parseName, parseText } from '../../names.ts';
import { type Unchecked } from './jwt.ts';
import { refused } from '../credential-errors.ts';

/**
 * Reads a claim by name, or by JSON pointer (RFC 6901) when `path` starts with `/`. Undefined when the claim is absent.
 * Inherited properties are never read, so `constructor` and `__proto__` are ordinary absent claims.
 *
 * @example claimAt(payload, '/realm_access/roles/0')
 */
export function claimAt(claims: Unchecked, path: string): unknown {
  if (!path.startsWith('/')) return ownProperty(claims, path);
  const tokens = path.slice(1).split('/');
  return tokens.reduce<unknown>(
    // Null counts as absent, like the claims that readJwt leaves out.
    (value, token) => ownProperty(value, token.replaceAll('~1', '/').replaceAll('~0', '~')) ?? undefined,
    claims,
  );
}

const ARRAY_INDEX = /^(0|[1-9]\d{0,3})$/;

function ownProperty(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return ARRAY_INDEX.test(name) ? (value as unknown[])[Number(name)] : undefined;
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * The id of the user, which may be an e-mail address, or with the rule `anyIdentity` any visible ASCII characters. Numbers
 * are refused: 1 and "1" would be the same user.
 * @throws UNAUTHENTICATED when the claim is absent or not a valid identity
 */
export function parseIdentityClaim(
  value: unknown,
  claim: string,
  rule: 'emailIdentity' | 'anyIdentity' = 'emailIdentity',
): string {
  if (typeof value !== 'string') throw refused(`its “${claim}” must be a string that names a user`);
  return asCredentialError(() => parseName(rule, value, `its “${claim}”`));
}

/** The name of a role; null when the claim is absent. @throws UNAUTHENTICATED when the claim is not a role name */
export function parseRoleClaim(value: unknown, claim: string): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refused(`its “${claim}” must be a string that names a role`);
  return asCredentialError(() => parseName('role', value, `its “${claim}”`));
}

/**
 * The names of roles in a claim that is a list, such as the `roles` of Entra ID and Keycloak, which also hold roles of other
 * applications: entries that cannot be the name of a role are left out. In tokens of ZITADEL the list is an object, whose keys
 * are the roles and whose values name the organizations. Any other claim is read by parseRoleClaim.
 * @throws UNAUTHENTICATED when the claim is neither a list nor a role name
 */
export function parseRolesClaim(value: unknown, claim: string): string | readonly string[] | null {
  if (isObject(value) && Object.values(value).every(isObject)) return Object.keys(value);
  if (!Array.isArray(value)) return parseRoleClaim(value, claim);
  return value.filter((name: unknown): name is string => typeof name === 'string');
}

/**
 * Connection data: at most 1,000 characters; null when the claim is absent.
 * @throws UNAUTHENTICATED when the claim is not a string, is too long or has control characters
 */
export function parseTextClaim(value: unknown, claim: string): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refused(`its “${claim}” must be a string`);
  return asCredentialError(() => parseText(value, `its “${claim}”`));
}

/**
 * Runs a parser of API input on a claim. BAD_USER_INPUT becomes UNAUTHENTICATED, because the fault is in the credential
 * and not in an argument of the operation.
 */
export function asCredentialError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    throw refused(error.message.replace(/^input\./, '').replace(/\.$/, ''));
  }
}
