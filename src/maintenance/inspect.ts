import { type Database } from 'better-sqlite3';

/** The size of one project in a store. */
export interface ProjectSummary {
  projectId: string;
  /** The sequence of the newest message that was ever logged. */
  head: number;
  /** Messages in the log. */
  messages: number;
}

/** A fault in a store: the table, the channel or row if known, and a description. */
export interface Damage {
  table: string;
  /** `channel:lobby`, or the key of the row; absent for faults of the file itself. */
  place?: string;
  message: string;
}

/** At most this many faults are listed per kind, so that the report on a badly damaged file stays short. */
const MAX_LISTED = 100;

/** Columns that hold JSON: the table, the expression that names a row, and the column. */
const JSON_COLUMNS = [
  ['projects', 'id', 'settings'],
  ['api_keys', 'id', 'scopes'],
  ['tokens', 'id', 'credential_rights'],
  ['tokens', 'id', 'grants'],
  ['tokens', 'id', 'state'],
  ['issuers', 'id', 'provider'],
  ['channels', `'channel:' || id`, 'state'],
  ['messages', 'address', 'data'],
  ['messages', 'address', 'sender'],
  ['idempotency_keys', 'key', 'message'],
] as const;

/** Queries that find rows which contradict each other; each yields a `place`. */
const CONTRADICTIONS = [
  {
    table: 'logs',
    message: 'The log holds a message beyond its head.',
    sql: `select l.project_id as place from logs l
          where l.head < (select max(m.sequence) from messages m where m.project_id = l.project_id)`,
  },
  {
    table: 'messages',
    message: 'A message names a previous message that is neither in the log nor trimmed.',
    sql: `select m.address as place from messages m
          left join addresses a on a.project_id = m.project_id and a.address = m.address
          where m.previous > coalesce(a.trimmed_through, 0)
          and not exists (select 1 from messages p
            where p.project_id = m.project_id and p.address = m.address and p.sequence = m.previous)`,
  },
  {
    table: 'addresses',
    message: 'The newest message of the address is not the one that the address remembers.',
    sql: `select a.address as place from addresses a
          where a.last < (select max(m.sequence) from messages m
            where m.project_id = a.project_id and m.address = a.address)`,
  },
  {
    table: 'memberships',
    message: 'A membership names a channel that does not exist.',
    sql: `select 'channel:' || b.channel_id as place from memberships b
          left join channels c on c.project_id = b.project_id and c.id = b.channel_id where c.id is null`,
  },
  {
    table: 'memberships',
    message: 'A membership names a token that does not exist.',
    sql: `select 'token:' || b.token_id as place from memberships b
          left join tokens t on t.id = b.token_id where t.id is null`,
  },
] as const;

/** Counts the logged messages of each project. */
export function summarize(sqlite: Database): ProjectSummary[] {
  return sqlite
    .prepare(
      `select l.project_id as projectId, l.head as head,
       (select count(*) from messages m where m.project_id = l.project_id) as messages
       from logs l order by l.project_id`,
    )
    .all() as ProjectSummary[];
}

/** Reads every page and every row that holds JSON or refers to another row. An empty list: no damage. */
export function findDamage(sqlite: Database): Damage[] {
  const pages = pageDamage(sqlite);
  // Queries over damaged pages fail or return wrong rows, so the pages are checked first.
  return pages.length > 0 ? pages : [...jsonDamage(sqlite), ...contradictions(sqlite)];
}

function pageDamage(sqlite: Database): Damage[] {
  try {
    const lines = sqlite.pragma(`integrity_check(${MAX_LISTED})`) as { integrity_check: string }[];
    return lines
      .filter(({ integrity_check: line }) => line !== 'ok')
      .map(({ integrity_check: line }) => ({ table: tableOf(sqlite, line), message: line }));
  } catch (error) {
    return [{ table: 'file', message: `The file cannot be read: ${(error as Error).message}.` }];
  }
}

/** The table of a fault. SQLite names only an index or a root page. */
function tableOf(sqlite: Database, line: string): string {
  const index = /(?:index|from index) (\S+)$/.exec(line)?.[1];
  const page = /^Tree (\d+)/.exec(line)?.[1];
  const row = sqlite
    .prepare('select tbl_name as name from sqlite_master where name = ? or rootpage = ?')
    .get(index ?? '', Number(page ?? -1)) as { name: string } | undefined;
  return row?.name ?? 'file';
}

function jsonDamage(sqlite: Database): Damage[] {
  return JSON_COLUMNS.flatMap(([table, place, column]) => {
    // A store of an older version may not have the column yet.
    const known = sqlite.prepare('select 1 from pragma_table_info(?) where name = ?').get(table, column);
    if (!known) return [];
    const rows = sqlite
      .prepare(
        `select ${place} as place from ${table} where ${column} is not null and not json_valid(${column}) limit ?`,
      )
      .all(MAX_LISTED) as { place: string }[];
    return rows.map((row) => ({ table, place: row.place, message: `The column ${column} is not JSON.` }));
  });
}

function contradictions(sqlite: Database): Damage[] {
  return CONTRADICTIONS.flatMap(({ table, message, sql }) => {
    const rows = sqlite.prepare(`${sql} limit ?`).all(MAX_LISTED) as { place: string }[];
    return rows.map(({ place }) => ({ table, place, message }));
  });
}
