import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { Slices } from '../slices.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type Presence } from './presence.ts';

/** Rows per query while tokens that are online are skipped. */
const CHUNK = 500;

interface Sources {
  tokens: Tokens;
  presence: Presence;
}

/**
 * Lists tokens by id, filtered by identity and by whether they are online.
 * @throws FORBIDDEN, UNAUTHENTICATED unless the caller is an API key
 */
export async function listTokens(
  sources: Sources,
  caller: Caller,
  page: PageRequest,
  { identity, online }: { identity?: string | undefined; online?: boolean | undefined },
): Promise<Page<Token>> {
  requireApiKey(caller, 'READ');
  if (online === undefined) return sources.tokens.list(caller, page, { identity });
  return pageOf(await (online ? findOnline : findOffline)(sources, caller, page, identity), page.first);
}

/** The rows of a page and, if there are more, of the token after it. */
async function findOnline(
  { tokens, presence }: Sources,
  caller: Caller,
  { first, after }: PageRequest,
  identity: string | undefined,
): Promise<Token[]> {
  const found: Token[] = [];
  for (let last = after; found.length <= first;) {
    const among = await presence.onlineTokens(caller, { identity }, { after: last, limit: first + 1 });
    if (among.length > 0)
      found.push(...(await tokens.list(caller, { first: among.length }, { identity, among })).items);
    if (among.length <= first) break;
    last = among.at(-1);
  }
  return found;
}

/** See `findOnline`. */
async function findOffline(
  { tokens, presence }: Sources,
  caller: Caller,
  { first, after }: PageRequest,
  identity: string | undefined,
): Promise<Token[]> {
  const found: Token[] = [];
  const slices = new Slices();
  let last = after;
  for (let hasMore = true; hasMore && found.length <= first;) {
    const page = await tokens.list(caller, { first: CHUNK, after: last }, { identity });
    const ids = page.items.map(({ id }) => id);
    const online = await presence.onlineAmong(caller, ids);
    found.push(...page.items.filter(({ id }) => !online.has(id)));
    hasMore = page.hasMore;
    last = ids.at(-1);
    if (slices.shouldYield()) await slices.nextTurn();
  }
  return found;
}
