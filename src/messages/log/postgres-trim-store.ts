import { type Address } from '../../broker/message.ts';
import { type PostgresStore } from '../../store/store.ts';
import { type AddressKey } from './address-store.ts';
import { type Trim } from './trim-store.ts';

/** See TrimStore. */
export function createPostgresTrimStore({ rows }: PostgresStore) {
  const numberOf = async (sql: string, params: readonly unknown[]): Promise<number> => {
    const [row] = await rows<{ value: number | null }>(sql, params);
    return row?.value ?? 0;
  };

  return {
    /** Costs O(`keep`). */
    excessThrough: (projectId: string, address: Address, keep: number) =>
      numberOf(
        `SELECT sequence AS value FROM messages WHERE project_id = $1 AND address = $2
         ORDER BY sequence DESC LIMIT 1 OFFSET $3::bigint`,
        [projectId, address, keep],
      ),
    agedThrough: (
      projectId: string,
      before: number,
      address?: Address,
      { after, through }: { after: number; through?: number | undefined } = { after: 0 },
    ) =>
      numberOf('SELECT aged_through_v1($1, $2, $3, $4, $5) AS value', [
        projectId,
        address ?? null,
        before,
        after,
        through ?? null,
      ]),
    trim: (trims: readonly Trim[], limit: number) =>
      numberOf('SELECT trim_addresses_v1($1, $2, $3, $4) AS value', [
        trims.map(({ projectId }) => projectId),
        trims.map(({ address }) => address),
        trims.map(({ through }) => through),
        limit,
      ]),
    trimProject: (projectId: string, through: number, limit: number) =>
      numberOf('SELECT trim_project_v1($1, $2, $3) AS value', [projectId, through, limit]),
    /** Removes up to `limit` keys that expired before `now` (milliseconds since 1970). Resolves to the number removed. */
    removeExpiredKeys: (now: number, limit: number) =>
      numberOf(
        `WITH gone AS (DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM idempotency_keys WHERE expires_at < $1::bigint LIMIT $2::bigint)) RETURNING 1)
         SELECT count(*) AS value FROM gone`,
        [now, limit],
      ),
    listAddresses: (after: { projectId: string; address: string }, limit: number): Promise<AddressKey[]> =>
      rows(
        `SELECT project_id AS "projectId", address FROM addresses
         WHERE (project_id, address) > ($1, $2) AND last > trimmed_through
         ORDER BY project_id, address LIMIT $3::bigint`,
        [after.projectId, after.address, limit],
      ),
    async heads(): Promise<ReadonlyMap<string, number>> {
      const found = await rows<{ projectId: string; head: number }>(
        'SELECT project_id AS "projectId", head FROM logs',
        [],
      );
      return new Map(found.map(({ projectId, head }) => [projectId, head]));
    },
    async listProjects(): Promise<string[]> {
      const found = await rows<{ projectId: string }>('SELECT project_id AS "projectId" FROM logs', []);
      return found.map(({ projectId }) => projectId);
    },
  };
}
