import { type Database } from 'better-sqlite3';

/** How many rows a restore takes over from the replaced store, so that the copy restores no revoked access. */
export interface CarriedOver {
  revokedTokens: number;
  updatedTokens: number;
  /** Tokens that the first use of a credential of another issuer created after the backup. */
  createdTokens: number;
  revocations: number;
  restrictions: number;
  apiKeys: number;
  /** Issuers and their keys, also those that were removed. */
  issuers: number;
  /** Memberships that ended, also those that began again later. */
  endedMemberships: number;
}

/**
 * Takes access over from the store attached as `replaced` into the main one: tokens, revocations, mutes and bans, keys, issuers
 * and ended memberships. A row of both stores gets the values of the replaced one. Mutes, bans and revocations that only the
 * main store has stay: a change that gave access back is undone, as every other change since the backup. Runs in the
 * caller's transaction.
 */
export function carryOver(sqlite: Database): CarriedOver {
  takeRows(sqlite, 'signing_keys');
  takeRows(sqlite, 'membership_removals');
  takeIssueClock(sqlite);
  const apiKeys = takeRows(sqlite, 'api_keys');
  const issuers = takeIssuers(sqlite);
  const revocations = takeRows(sqlite, 'revocations', {
    wins: 'excluded.issued_before > revocations.issued_before',
  });
  const restrictions = takeRows(sqlite, 'restrictions');
  const { revokedTokens, updatedTokens } = takeTokenRights(sqlite);
  const endedMemberships = takeEndedMemberships(sqlite);
  const createdTokens = takeTokensOfIssuers(sqlite);
  return {
    revokedTokens,
    updatedTokens,
    createdTokens,
    revocations,
    restrictions,
    apiKeys,
    issuers,
    endedMemberships,
  };
}

/** The latest time of issue; see `IssueClock`. Behind it, new credentials could be older than a revocation that is taken over. */
function takeIssueClock(sqlite: Database): void {
  takeRows(sqlite, 'secrets', {
    where: `name = 'issued-through'`,
    wins: 'cast(excluded.value as integer) > cast(secrets.value as integer)',
  });
}

/** A key that was removed after the backup must not verify again, also if it had an overlap, or its id a new secret. */
function takeIssuers(sqlite: Database): number {
  if (columnsOfBoth(sqlite, 'issuers').length === 0) return 0;
  const run = (sql: string) => sqlite.prepare(sql).run().changes;
  return (
    run(
      `delete from issuer_keys where not exists (select 1 from replaced.issuer_keys r
       where r.issuer_id = issuer_keys.issuer_id and r.id = issuer_keys.id)`,
    ) +
    run(`delete from issuers where id not in (select id from replaced.issuers)`) +
    takeRows(sqlite, 'issuers', { where: 'project_id in (select id from main.projects)' }) +
    takeRows(sqlite, 'issuer_keys', { where: 'issuer_id in (select id from main.issuers)' })
  );
}

/** The columns of a token that decide what it may do, and until when. */
const RIGHTS_OF_TOKEN = ['role', 'custom_role', 'grants', 'expires_at', 'credential_rights', 'purge_after'];

function takeTokenRights(sqlite: Database): Pick<CarriedOver, 'revokedTokens' | 'updatedTokens'> {
  const run = (sql: string) => sqlite.prepare(sql).run().changes;
  const rights = columnsOfBoth(sqlite, 'tokens').filter(({ name }) => RIGHTS_OF_TOKEN.includes(name));
  return {
    revokedTokens: run(
      `update tokens set revoked_at = r.revoked_at from replaced.tokens r
       where r.id = tokens.id and r.revoked_at is not null and tokens.revoked_at is null`,
    ),
    updatedTokens: run(
      `update tokens set ${rights.map(({ name }) => `${name} = r.${name}`).join(', ')}
       from replaced.tokens r where r.id = tokens.id
       and (${listOf(rights, 'r.')}) is not (${listOf(rights, 'tokens.')})`,
    ),
  };
}

/** The head of the log of `r.project_id` in the main store: a membership that began later shows nothing of the restored past. */
const MAIN_HEAD = `coalesce((select head from main.logs where project_id = r.project_id), 0)`;

/** A membership that began again is another one: it shows less of the past, and ends with other changes of the channel. */
function takeEndedMemberships(sqlite: Database): number {
  const hasOrigins = columnsOfBoth(sqlite, 'memberships').some(({ name }) => name === 'made_by');
  const ended = sqlite
    .prepare(
      `delete from memberships where token_id in (select id from replaced.tokens)
       and exists (select 1 from replaced.channels c
         where c.project_id = memberships.project_id and c.id = memberships.channel_id)
       and not exists (select 1 from replaced.memberships r where r.project_id = memberships.project_id
         and r.channel_id = memberships.channel_id and r.token_id = memberships.token_id)`,
    )
    .run().changes;
  const begunAgain = sqlite
    .prepare(
      `update memberships set began_after = max(memberships.began_after, min(r.began_after, ${MAIN_HEAD})),
         created_at = r.created_at ${hasOrigins ? ', made_by = r.made_by' : ''}
       from replaced.memberships r where r.project_id = memberships.project_id
       and r.channel_id = memberships.channel_id and r.token_id = memberships.token_id
       and (r.created_at <> memberships.created_at or r.began_after > memberships.began_after)`,
    )
    .run().changes;
  return ended + begunAgain;
}

/**
 * Takes over the tokens of other issuers that the copy lacks, with their memberships. Without them, the next use of a credential
 * would create the token anew: not revoked, not banned, and with the rights of an older credential. Credentials that Signalbox
 * signed are refused without their token, so the tokens of those are not needed.
 */
function takeTokensOfIssuers(sqlite: Database): number {
  const tokenColumns = listOf(columnsOfBoth(sqlite, 'tokens'));
  const created = sqlite
    .prepare(
      `insert into tokens (${tokenColumns}) select ${tokenColumns} from replaced.tokens
       where subject is not null and project_id in (select id from main.projects) on conflict do nothing returning id`,
    )
    .pluck()
    .all();
  const others = columnsOfBoth(sqlite, 'memberships').filter(({ name }) => name !== 'began_after');
  sqlite
    .prepare(
      `insert into memberships (${listOf(others)}, began_after)
       select ${listOf(others)}, min(r.began_after, ${MAIN_HEAD}) from replaced.memberships r
       where r.token_id in (select value from json_each(?)) and exists (select 1 from main.channels c
         where c.project_id = r.project_id and c.id = r.channel_id)`,
    )
    .run(JSON.stringify(created));
  return created.length;
}

/**
 * Takes over the rows of a table that the main store lacks, and the changed values of those that both have. Returns the number of
 * these rows.
 * @param where which rows of the replaced store
 * @param wins whether the row of the replaced store (`excluded`) replaces that of the main one. Default: if they differ
 */
function takeRows(
  sqlite: Database,
  table: string,
  { where = 'true', wins }: { where?: string; wins?: string } = {},
): number {
  const columns = columnsOfBoth(sqlite, table);
  if (columns.length === 0) return 0;
  const keys = columns.filter(({ isKey }) => isKey);
  const values = columns.filter(({ isKey }) => !isKey);
  const differs = `(${listOf(values, 'excluded.')}) is not (${listOf(values, `${table}.`)})`;
  return sqlite
    .prepare(
      `insert into ${table} (${listOf(columns)}) select ${listOf(columns)} from replaced.${table} where ${where}
       on conflict (${listOf(keys)}) do update set ${values.map(({ name }) => `${name} = excluded.${name}`).join(', ')}
       where ${wins ?? differs}`,
    )
    .run().changes;
}

interface Column {
  name: string;
  /** Whether the column is part of the primary key. */
  isKey: boolean;
}

/** The columns that a table has in both stores: a replaced store of an older version may lack some, or the whole table. */
function columnsOfBoth(sqlite: Database, table: string): Column[] {
  const rows = sqlite
    .prepare(
      `select name, pk from pragma_table_info(?, 'main')
       where name in (select name from pragma_table_info(?, 'replaced'))`,
    )
    .all(table, table) as { name: string; pk: number }[];
  return rows.map(({ name, pk }) => ({ name, isKey: pk > 0 }));
}

const listOf = (columns: readonly Column[], prefix = '') =>
  columns.map(({ name }) => prefix + name).join(', ');

/** Refuses credentials issued before `issuedBefore` in every project, like `revokeTokens(all: true)` in one. */
export function revokeIssuedBefore(sqlite: Database, issuedBefore: number, now: number): number {
  return sqlite
    .prepare(
      `insert into revocations (project_id, scope, subject, issued_before, created_at)
       select id, 'PROJECT', '', ?, ? from projects where true
       on conflict (project_id, scope, subject) do update set issued_before = excluded.issued_before
       where excluded.issued_before > revocations.issued_before`,
    )
    .run(issuedBefore, now).changes;
}
