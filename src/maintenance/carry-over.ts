import { type Database } from 'better-sqlite3';

/** How many rows a restore takes over from the replaced store, so that the copy restores no revoked access. */
export interface CarriedOver {
  revokedTokens: number;
  updatedTokens: number;
  revocations: number;
  restrictions: number;
  apiKeys: number;
  removedIssuers: number;
  endedMemberships: number;
}

/**
 * Takes revocations, bans, ended keys, removed issuers, ended memberships and the current rights of tokens over from
 * the store attached as `replaced` into the main one. Runs in the caller's transaction.
 */
export function carryOver(sqlite: Database): CarriedOver {
  const run = (sql: string) => sqlite.prepare(sql).run().changes;
  // A replaced store of an older version does not have this table.
  if (sqlite.prepare(`select 1 from replaced.sqlite_master where name = 'membership_removals'`).get())
    run(`insert or replace into membership_removals select * from replaced.membership_removals`);
  return {
    revokedTokens: run(
      `update tokens set revoked_at = r.revoked_at from replaced.tokens r
       where r.id = tokens.id and r.revoked_at is not null and tokens.revoked_at is null`,
    ),
    updatedTokens: run(
      `update tokens set role = r.role, custom_role = r.custom_role, grants = r.grants, expires_at = r.expires_at,
         credential_rights = r.credential_rights
       from replaced.tokens r where r.id = tokens.id
       and (r.role, r.custom_role, r.grants, r.expires_at, r.credential_rights)
         is not (tokens.role, tokens.custom_role, tokens.grants, tokens.expires_at, tokens.credential_rights)`,
    ),
    revocations: run(
      `insert into revocations select * from replaced.revocations where true
       on conflict (project_id, scope, subject) do update set issued_before = excluded.issued_before
       where excluded.issued_before > revocations.issued_before`,
    ),
    restrictions: run(`insert or ignore into restrictions select * from replaced.restrictions`),
    apiKeys:
      run(
        `update api_keys set revoked_at = r.revoked_at, expires_at = r.expires_at from replaced.api_keys r
         where r.id = api_keys.id and (r.revoked_at, r.expires_at) is not (api_keys.revoked_at, api_keys.expires_at)`,
      ) + run(`insert or ignore into api_keys select * from replaced.api_keys`),
    removedIssuers:
      run(
        `delete from issuer_keys where not exists (select 1 from replaced.issuer_keys r
         where r.issuer_id = issuer_keys.issuer_id and r.id = issuer_keys.id)`,
      ) + run(`delete from issuers where id not in (select id from replaced.issuers)`),
    endedMemberships: run(
      `delete from memberships where token_id in (select id from replaced.tokens)
       and exists (select 1 from replaced.channels c
         where c.project_id = memberships.project_id and c.id = memberships.channel_id)
       and not exists (select 1 from replaced.memberships r where r.project_id = memberships.project_id
         and r.channel_id = memberships.channel_id and r.token_id = memberships.token_id)`,
    ),
  };
}

/** Takes over signing keys: a key retired after the backup must not sign again, and newer keys must verify. */
export function carryOverSigningKeys(sqlite: Database): void {
  sqlite.prepare('insert or replace into signing_keys select * from replaced.signing_keys').run();
}

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
