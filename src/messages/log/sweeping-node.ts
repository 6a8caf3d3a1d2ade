import { LIVE_NODES } from '../../broker/node-registration.ts';
import { type PostgresStore } from '../../store/store.ts';

/** What one purge of this node covers, besides the addresses that this node has published to. */
export interface SweepDuty {
  /** Whether this node removes what has expired by its age, and idempotency keys, for all nodes. */
  isSweeper: boolean;
  /** Whether a node has left since the last call: only that node knew the addresses that it had published to. */
  hasNodeLeft: boolean;
}

/** This node is the one after which its sessions are named. */
const READ_NODES = `SELECT id, 'signalbox:' || id = current_setting('application_name') AS "isOwn" ${LIVE_NODES}`;

/** Chooses one node to sweep: the one that has been registered longest. A node without registrations is alone. */
export function createSweepDuty({ rows }: PostgresStore): () => Promise<SweepDuty> {
  let known: readonly string[] = [];
  return async () => {
    const nodes = await rows<{ id: string; isOwn: boolean }>(READ_NODES, []);
    const ids = nodes.map(({ id }) => id);
    const hasNodeLeft = known.some((id) => !ids.includes(id));
    known = ids;
    return { isSweeper: nodes[0]?.isOwn ?? true, hasNodeLeft };
  };
}
