import { type Page, type PageRequest } from '../paging.ts';
import { Slices } from '../slices.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type Presence } from './presence.ts';

/** Rows per query while tokens that do not match are skipped. */
const CHUNK = 500;

/**
 * Lists tokens by id, filtered by identity and by whether they are online. Presence has only the ids of online tokens;
 * the rows of tokens hold the identity.
 * @throws FORBIDDEN, UNAUTHENTICATED unless the caller is an API key
 */
export async function listTokens(
  { tokens, presence }: { tokens: Tokens; presence: Presence },
  caller: Caller,
  { first, after }: PageRequest,
  { identity, online }: { identity?: string | undefined; online?: boolean | undefined },
): Promise<Page<Token>> {
  requireApiKey(caller, 'READ');
  if (online === undefined) return tokens.list(caller, { first, after }, { identity });
  const onlineIds = await presence.onlineTokens(caller);
  const found: Token[] = [];
  const slices = new Slices();
  if (online) {
    const candidates = after === undefined ? onlineIds : onlineIds.filter((id) => id > after);
    for (let from = 0; from < candidates.length && found.length <= first; from += CHUNK) {
      const among = candidates.slice(from, from + CHUNK);
      found.push(...(await tokens.list(caller, { first: CHUNK }, { identity, among })).items);
      if (slices.shouldYield()) await slices.nextTurn();
    }
  } else {
    const isOnline = new Set(onlineIds);
    let last = after;
    for (let hasMore = true; hasMore && found.length <= first;) {
      const page = await tokens.list(caller, { first: CHUNK, after: last }, { identity });
      found.push(...page.items.filter(({ id }) => !isOnline.has(id)));
      hasMore = page.hasMore;
      last = page.items.at(-1)?.id;
      if (slices.shouldYield()) await slices.nextTurn();
    }
  }
  return { items: found.slice(0, first), hasMore: found.length > first };
}
