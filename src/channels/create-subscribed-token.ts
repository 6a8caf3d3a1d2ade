import { type Caller } from '../tokens/caller.ts';
import { type MintedToken, type TokenInput, type Tokens } from '../tokens/tokens.ts';
import { type Memberships } from './memberships.ts';

/** A token together with its first memberships, all or none. */
export async function mintSubscribed(
  { tokens, memberships }: { tokens: Tokens; memberships: Memberships },
  caller: Caller,
  input: TokenInput & { identity?: string | undefined; channels?: readonly string[] | undefined },
): Promise<MintedToken> {
  return tokens.create(caller, input, (token) => memberships.firstOf(token, input.channels ?? []));
}
