import { type Page, type PageRequest } from '../paging.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type Presence } from './presence.ts';

/** Rows looked at in one query while those that do not fit are left out. */
const CHUNK = 500;

/** Tokens by id, of an identity, online or not: presence knows who is here, the rows know the rest. */
export async function listTokens(
  { tokens, presence }: { tokens: Tokens; presence: Presence },
  caller: Caller,
  { first, after }: PageRequest,
  { identity, online }: { identity?: string | undefined; online?: boolean | undefined },
): Promise<Page<Token>> {
  requireApiKey(caller);
  if (online === undefined) return tokens.list(caller, { first, after }, { identity });
  const here = await presence.onlineTokens(caller);
  const found: Token[] = [];
  if (online) {
    const candidates = after === undefined ? here : here.filter((id) => id > after);
    for (let from = 0; from < candidates.length && found.length <= first; from += CHUNK) {
      const among = candidates.slice(from, from + CHUNK);
      found.push(...(await tokens.list(caller, { first: CHUNK }, { identity, among })).items);
    }
  } else {
    const isHere = new Set(here);
    let last = after;
    for (let hasMore = true; hasMore && found.length <= first;) {
      const page = await tokens.list(caller, { first: CHUNK, after: last }, { identity });
      found.push(...page.items.filter(({ id }) => !isHere.has(id)));
      hasMore = page.hasMore;
      last = page.items.at(-1)?.id;
    }
  }
  return { items: found.slice(0, first), hasMore: found.length > first };
}
