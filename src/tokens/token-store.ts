import { and, asc, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm';
import { type Json } from '../names.ts';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { tokens } from '../store/tables.ts';
import { type Role } from '../projects/permissions.ts';
import { type ClaimedRights, type Grant, type Origin, type Token } from './token.ts';

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

  const findOneBySubject = db
    .select()
    .from(tokens)
    .where(
      and(
        eq(tokens.projectId, sql.placeholder('projectId')),
        eq(tokens.issuerId, sql.placeholder('issuerId')),
        eq(tokens.subject, sql.placeholder('subject')),
      ),
    )
    .prepare();

  return {
    insertion: (token: Token): Statement => db.insert(tokens).values(toRow(token)),
    async findBySubject(projectId: string, issuerId: string, subject: string): Promise<Token | undefined> {
      const row = findOneBySubject.all({ projectId, issuerId, subject })[0];
      return row && toToken(row);
    },
    async setClaims(id: string, claims: ClaimedRights): Promise<void> {
      await db
        .update(tokens)
        .set({ claims: claims as unknown as Json })
        .where(eq(tokens.id, id));
    },
    /** Some of those that may be forgotten now. */
    async forgettable(now: number, limit: number): Promise<string[]> {
      const rows = await db
        .select({ id: tokens.id })
        .from(tokens)
        .where(lte(tokens.forgetAfter, now))
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    removal: (ids: readonly string[]): Statement => db.delete(tokens).where(inArray(tokens.id, [...ids])),
    async find(projectId: string, id: string): Promise<Token | undefined> {
      const row = findOne.all({ projectId, id })[0];
      return row && toToken(row);
    },
    /** Undefined when there is none that is not revoked: what is revoked stays as it is. */
    async update(
      projectId: string,
      id: string,
      { grants, ...change }: Partial<Omit<Token, 'id' | 'projectId' | 'createdAt' | 'claims'>>,
    ): Promise<Token | undefined> {
      const [row] = await db
        .update(tokens)
        .set({ id, ...change, ...(grants !== undefined && { grants: grants as unknown as Json }) })
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
  return {
    ...row,
    origin: row.origin as Origin,
    role: row.role as Role,
    grants: row.grants as unknown as Grant[] | null,
    claims: (row.claims as unknown as ClaimedRights | null) ?? null,
    state: row.state ?? null,
  };
}

function toRow({ grants, claims, ...token }: Token) {
  return { ...token, grants: grants as unknown as Json, claims: claims as unknown as Json };
}
