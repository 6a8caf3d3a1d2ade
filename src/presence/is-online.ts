import { badInput, forbidden, notFound } from '../errors.ts';
import { requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type Presence } from './presence.ts';

/** API keys and the three forms of credentials: their first characters. The id of a token begins with none of them. */
const SECRET_PREFIXES = ['key_', 'eyJ', 'T1=='];

/**
 * Whether a token, or any token of an identity, has a live connection. A token that does not exist is an error: `false`
 * would hide a typing mistake.
 * @throws BAD_USER_INPUT unless exactly one of the two is given, and for a credential in the place of an id
 * @throws NOT_FOUND when there is no such token, or no token of the identity
 * @throws UNAUTHENTICATED, FORBIDDEN unless the caller is an API key or the token itself
 */
export async function isOnline(
  { tokens, presence }: { tokens: Tokens; presence: Presence },
  caller: Caller,
  { token, identity }: { token?: string | undefined; identity?: string | undefined },
): Promise<boolean> {
  if ((token === undefined) === (identity === undefined))
    throw badInput('token', 'name exactly one of token and identity.');
  if (token !== undefined) {
    if (SECRET_PREFIXES.some((prefix) => token.startsWith(prefix)))
      throw badInput('token', 'is a credential; name the token by its id, `token_…`.');
    requireKeyOrSelf(caller, token, 'READ');
    if (!(await tokens.find(caller.projectId, token))) throw notFound('token', token);
    return presence.isOnline(caller, token);
  }
  const named = identity ?? '';
  if (caller.kind !== 'TOKEN') requireApiKey(caller, 'READ');
  else if (caller.token.identity !== named)
    throw forbidden('This operation requires an API key, or a token of the identity.');
  if (!(await tokens.hasIdentity(caller.projectId, named))) throw notFound('token of identity', named);
  return presence.isIdentityOnline(caller.projectId, named);
}
