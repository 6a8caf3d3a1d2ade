import { type Address } from '../../broker/message.ts';
import { type PostgresStore } from '../../store/store.ts';
import { type AddressKey } from './address-store.ts';
import { type Trim } from './trim-store.ts';

/**
 * See TrimStore. Unlike there, messages stay that another transaction has locked, and those of their address that follow them; a later
 * call removes them.
 * @param onSkipped receives the addresses that keep messages for that reason
 */
export function createPostgresTrimStore({ rows }: PostgresStore, onSkipped: (address: AddressKey) => void) {
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
    async trim(trims: readonly Trim[], limit: number): Promise<number> {
      const [row] = await rows<{ removed: number; skipped: number[] }>(
        'SELECT removed, skipped FROM trim_addresses_v2($1, $2, $3, $4)',
        [
          trims.map(({ projectId }) => projectId),
          trims.map(({ address }) => address),
          trims.map(({ through }) => through),
          limit,
        ],
      );
      for (const nth of row?.skipped ?? []) {
        const trim = trims[nth - 1];
        if (trim) onSkipped({ projectId: trim.projectId, address: trim.address });
      }
      return row?.removed ?? 0;
    },
    trimProject: (projectId: string, through: number, limit: number) =>
      numberOf('SELECT trim_project_v2($1, $2, $3) AS value', [projectId, through, limit]),
    /**
     * Removes up to `limit` keys that expired before `now` (milliseconds since 1970), except those that a publish uses again at this
     * moment. Resolves to the number removed.
     */
    removeExpiredKeys: (now: number, limit: number) =>
      numberOf(
        `WITH gone AS (DELETE FROM idempotency_keys WHERE expires_at < $1::bigint AND ctid = ANY (ARRAY(
           SELECT ctid FROM idempotency_keys WHERE expires_at < $1::bigint LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)
         SELECT count(*) AS value FROM gone`,
        [now, limit],
      ),
    /**
     * Removes up to `limit` answers to the last batches (lanes) of processes that ended over an hour ago: no such process repeats its
     * last batch any more. Resolves to the number removed.
     */
    removeEndedLanes: (limit: number) => numberOf(REMOVE_ENDED_LANES, [limit]),
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

/**
 * Reads one entry of the index for each process, not each lane. Of the processes that have ended, the newest 1,000 are recorded; one that
 * has registered again is in `nodes`.
 */
const REMOVE_ENDED_LANES = `
WITH RECURSIVE owner AS (
  SELECT min(node) AS node FROM lanes
  UNION ALL
  SELECT (SELECT min(lanes.node) FROM lanes WHERE lanes.node > owner.node) FROM owner WHERE owner.node IS NOT NULL
), ended AS MATERIALIZED (
  SELECT node FROM owner
  WHERE node IS NOT NULL AND NOT EXISTS (SELECT FROM nodes WHERE split_part(nodes.id, '.', 1) = owner.node)
    AND NOT EXISTS (SELECT FROM node_processes p
      WHERE p.id = owner.node AND (p.ended_at IS NULL OR p.ended_at > now() - interval '1 hour'))
), gone AS (
  DELETE FROM lanes WHERE ctid = ANY (ARRAY(
    SELECT lanes.ctid FROM ended JOIN lanes USING (node) LIMIT $1::bigint FOR UPDATE OF lanes SKIP LOCKED)) RETURNING 1
)
SELECT count(*) AS value FROM gone`;
