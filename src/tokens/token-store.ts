import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { tokens } from '../store/tables.ts';
import { type Grant, type Role, type Token } from './token.ts';

export interface TokenFilter {
  identity?: string | undefined;
  /** Only these ids. */
  among?: readonly string[] | undefined;
}

/** The rows of tokens. */
export function createTokenStore({ db }: Store) {
  const findOne = db
    .select()
    .from(tokens)
    .where(and(eq(tokens.projectId, sql.placeholder('projectId')), eq(tokens.id, sql.placeholder('id'))))
    .prepare();

  return {
    insertion: (token: Token): Statement =>
      db.insert(tokens).values({ ...token, grants: toJson(token.grants) }),
    async find(projectId: string, id: string): Promise<Token | undefined> {
      const row = findOne.all({ projectId, id })[0];
      return row && toToken(row);
    },
    /** Undefined when there is none that is not revoked: what is revoked stays as it is. */
    async update(
      projectId: string,
      id: string,
      { grants, ...change }: Partial<Omit<Token, 'id' | 'projectId' | 'createdAt'>>,
    ): Promise<Token | undefined> {
      const [row] = await db
        .update(tokens)
        .set({ id, ...change, ...(grants !== undefined && { grants: toJson(grants) }) })
        .where(and(eq(tokens.projectId, projectId), eq(tokens.id, id), isNull(tokens.revokedAt)))
        .returning();
      return row && toToken(row);
    },
    async list(
      projectId: string,
      { first, after }: PageRequest,
      { identity, among }: TokenFilter,
    ): Promise<Page<Token>> {
      const rows = await db
        .select()
        .from(tokens)
        .where(
          and(
            eq(tokens.projectId, projectId),
            identity === undefined ? undefined : eq(tokens.identity, identity),
            among === undefined ? undefined : inArray(tokens.id, [...among]),
            after === undefined ? undefined : gt(tokens.id, after),
          ),
        )
        .orderBy(asc(tokens.id))
        .limit(first + 1);
      return pageOf(rows.map(toToken), first);
    },
  };
}

type TokenRow = typeof tokens.$inferSelect;

function toToken(row: TokenRow): Token {
  return { ...row, role: row.role as Role, grants: row.grants as Grant[] | null, state: row.state ?? null };
}

function toJson(grants: Grant[] | null) {
  return grants?.map(({ channels, actions }) => ({ channels, actions })) ?? null;
}
