import { and, asc, desc, eq, gt, inArray, isNull, lt, lte, sql, type SQL } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { tokens } from './tables.ts';
import { DAMAGED } from '../store/columns.ts';
import { type CredentialRights, type DamagedProperty, type Token, type TokensOfProject } from './token.ts';

export interface TokenFilter {
  identity?: string | undefined;
  /** Only the tokens with these ids. */
  among?: readonly string[] | undefined;
}

/** The columns to write. */
type TokenChange = Partial<Omit<Token, 'id' | 'projectId' | 'createdAt' | 'credentialRights'>>;

/** The rows of tokens. */
export function createTokenStore({ db, select, jsonNumber, reportDamage }: Store) {
  const toToken = (row: typeof tokens.$inferSelect) => readToken(row, reportDamage);

  const findOne = select(
    tokens,
    and(eq(tokens.projectId, sql.placeholder('projectId')), eq(tokens.id, sql.placeholder('id'))),
  );

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

  const updateUnrevoked =
    (projectId: string, id: string, change: TokenChange, condition?: SQL): Write<Token | undefined> =>
    async (rows) => {
      const [row] = await rows.db
        .update(tokens)
        .set({ id, ...change })
        .where(and(eq(tokens.projectId, projectId), eq(tokens.id, id), isNull(tokens.revokedAt), condition))
        .returning();
      return row && toToken(row);
    };

  return {
    /** The statement that inserts a token, for a batch. */
    insertion: (token: Token): Statement => db.insert(tokens).values(token),
    async findBySubject(projectId: string, issuerId: string, subject: string): Promise<Token | undefined> {
      const [row] = await findOneBySubject.execute({ projectId, issuerId, subject });
      return row && toToken(row);
    },
    /** Resolves to false, and writes nothing, when a concurrent request stored the rights of a newer credential. */
    async setCredentialRights(id: string, credentialRights: CredentialRights): Promise<boolean> {
      const storedIssuedAt = jsonNumber(tokens.credentialRights, 'issuedAt');
      const rows = await db
        .update(tokens)
        .set({ credentialRights })
        .where(and(eq(tokens.id, id), sql`${storedIssuedAt} <= ${credentialRights.issuedAt ?? 0}`))
        .returning({ id: tokens.id });
      return rows.length > 0;
    },
    /** The ids of at most `limit` tokens that may be deleted by `now`, all of one project; undefined: there are none. */
    async purgeableTokens(now: number, limit: number): Promise<TokensOfProject | undefined> {
      const rows = await db
        .select({ projectId: tokens.projectId, id: tokens.id })
        .from(tokens)
        .where(lte(tokens.purgeAfter, now))
        .limit(limit);
      const projectId = rows[0]?.projectId;
      if (projectId === undefined) return undefined;
      return { projectId, ids: rows.filter((row) => row.projectId === projectId).map(({ id }) => id) };
    },
    /** The statement that deletes those of the tokens that may be deleted by `now`, for a batch: one may have been extended. */
    removal: (projectId: string, ids: readonly string[], now: number): Statement =>
      db
        .delete(tokens)
        .where(
          and(eq(tokens.projectId, projectId), inArray(tokens.id, [...ids]), lte(tokens.purgeAfter, now)),
        ),
    async find(projectId: string, id: string): Promise<Token | undefined> {
      const [row] = await findOne({ projectId, id });
      return row && toToken(row);
    },
    /**
     * Results in the updated token; undefined: there is none, or it is revoked, which makes a token immutable.
     */
    update: (projectId: string, id: string, change: TokenChange) => updateUnrevoked(projectId, id, change),
    /** As `update`, but results in undefined, and writes nothing, also when the token expires no earlier than at `expiresAt`. */
    extend: (projectId: string, id: string, change: TokenChange & { expiresAt: number }) =>
      updateUnrevoked(projectId, id, change, lt(tokens.expiresAt, change.expiresAt)),
    /** The unrevoked tokens of an identity whose credentials Signalbox signs, those that expire last first. */
    async lastToExpire(projectId: string, identity: string, limit: number): Promise<Token[]> {
      const rows = await db
        .select()
        .from(tokens)
        .where(
          and(
            eq(tokens.projectId, projectId),
            eq(tokens.identity, identity),
            isNull(tokens.subject),
            isNull(tokens.revokedAt),
          ),
        )
        .orderBy(sql`${tokens.expiresAt} is null desc`, desc(tokens.expiresAt), desc(tokens.id))
        .limit(limit);
      return rows.map(toToken);
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

/** The rights of a credential that cannot be read: none, until the credential is presented again. */
const NO_RIGHTS: CredentialRights = {
  role: null,
  customRole: null,
  grants: [],
  connectionData: null,
  issuedAt: null,
  expiresAt: null,
};

/**
 * The JSON column does not distinguish an absent state from the state `null`. Damaged grants allow nothing. Each property is
 * named: connections hold the token, and V8 gives every copy by spread of a row with this many columns a hidden class of its own.
 */
function readToken(row: typeof tokens.$inferSelect, reportDamage: Store['reportDamage']): Token {
  const damaged: DamagedProperty[] = [];
  const intact = <T>(property: DamagedProperty, value: T | typeof DAMAGED, substitute: T): T => {
    if (value !== DAMAGED) return value;
    damaged.push(property);
    reportDamage('tokens', `${row.id}, ${property}`);
    return substitute;
  };
  const token: Token = {
    id: row.id,
    projectId: row.projectId,
    identity: row.identity,
    origin: row.origin,
    issuerId: row.issuerId,
    subject: row.subject,
    role: row.role,
    customRole: row.customRole,
    grants: intact('grants', row.grants, []),
    credentialRights: intact('credentialRights', row.credentialRights, NO_RIGHTS),
    connectionData: row.connectionData,
    state: intact('state', row.state, null) ?? null,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    purgeAfter: row.purgeAfter,
  };
  return damaged.length === 0 ? token : { ...token, damaged };
}
