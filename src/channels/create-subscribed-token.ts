import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type TokenWithCredential, type TokenInput, type Tokens } from '../tokens/tokens.ts';
import { type Memberships } from './memberships.ts';

/**
 * Creates a token together with its first memberships, in one transaction: either all rows are written or none.
 * @throws NOT_FOUND, FORBIDDEN, LIMIT_EXCEEDED for `channels`; see FirstMemberships.prepare
 * @throws UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE; see Tokens.create
 */
export async function createSubscribedToken(
  { tokens, memberships }: { tokens: Tokens; memberships: Memberships },
  caller: Caller,
  input: TokenInput & { identity?: string | undefined; channels?: readonly string[] | undefined },
): Promise<TokenWithCredential> {
  if (input.channels?.length) requireApiKey(caller, 'CHANNELS');
  return tokens.create(caller, input, (token) => memberships.prepare(token, input.channels ?? []));
}
