import { MAX_UNSEEN_MS, type AppendOptions, type AsyncLog } from '../../broker/async-log.ts';
import { RightsChanged } from '../../broker/delivery.ts';
import { type Appended } from '../../broker/log.ts';
import { type Draft, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type RandomBytes } from '../../ids.ts';
import { type PostgresStore } from '../../store/store.ts';
import { type AddressKey } from './address-store.ts';
import { createPostgresPageStore } from './postgres-page-store.ts';
import { toLogged } from './postgres-rows.ts';
import { createPostgresTrimStore } from './postgres-trim-store.ts';
import { type RetentionLog } from './retention-log.ts';
import { createSweepDuty } from './sweeping-node.ts';
import { type FirstMessage } from './tables.ts';

/** The answer of `append_messages_v4`. */
interface Answer {
  epoch: number;
  outcomes: readonly (
    | ['A', sequence: number, previous: number, previousEpoch: number | null, ordinal: number]
    | ['A', null, null, null, null]
    | ['R', first: FirstMessage]
    | ['C']
    | ['D']
  )[];
}

/** The log on PostgreSQL, with the operations that retention needs. */
export type PostgresLogStore = AsyncLog & RetentionLog;

/**
 * @param nodeId the node that appends; the database refuses the appends of any other
 * @param randomBytes makes the number of an epoch, in case the append begins one
 */
export function createPostgresLogStore(
  store: PostgresStore,
  { nodeId, randomBytes }: { nodeId: string; randomBytes: RandomBytes },
): PostgresLogStore {
  const { rows } = store;
  const dirty = new Map<string, AddressKey>();
  const markDirty = ({ projectId, address }: AddressKey) =>
    void dirty.set(`${projectId}\n${address}`, { projectId, address });
  const newEpoch = () => Buffer.from(randomBytes(4)).readUInt32BE();

  async function append(
    projectId: string,
    { batch, answered, signals }: AppendOptions,
    drafts: readonly Draft[],
  ): Promise<Appended[]> {
    const column = <T>(value: (draft: Draft) => T) => drafts.map(value);
    const [row] = await rows<{ answer: string }>(
      `SELECT append_messages_v4($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) AS answer`,
      [
        nodeId,
        batch,
        answered,
        projectId,
        newEpoch(),
        signals,
        MAX_UNSEEN_MS,
        column(({ id }) => id),
        column(({ address }) => address),
        column(({ event }) => event),
        column(({ data }) => (data === null ? null : JSON.stringify(data))),
        column(({ sender }) => JSON.stringify(sender)),
        column(({ publishedAt }) => publishedAt),
        column(({ channel }) => channel?.createdAfter ?? 0),
        column(({ channel }) => channel?.createdAt ?? null),
        column(({ channel }) => channel?.instance ?? null),
        column(({ ephemeral }) => ephemeral),
        column(({ idempotency }) => idempotency?.key ?? null),
        column(({ idempotency }) => idempotency?.fingerprint ?? null),
        column(({ idempotency }) => idempotency?.expiresAt ?? null),
        column(({ idempotencyKey }) => idempotencyKey ?? null),
      ],
    ).catch(asRightsChanged);
    const { epoch, outcomes } = JSON.parse(row?.answer ?? '') as Answer;
    return drafts.map((draft, index) => {
      const outcome = outcomes[index] ?? ['C'];
      if (outcome[0] === 'C') return { outcome: 'CONFLICT' };
      if (outcome[0] === 'D') return { outcome: 'CHANNEL_DELETED' };
      if (outcome[0] === 'R') return { outcome: 'REPEATED', message: { ...contentOf(draft), ...outcome[1] } };
      const [, sequence, previous, previousEpoch, ordinal] = outcome;
      if (sequence === null) return { outcome: 'APPENDED', message: toMessage(draft, null) };
      markDirty(draft);
      return {
        outcome: 'APPENDED',
        message: toMessage(draft, toLogged({ epoch, sequence, previous, ordinal }, previousEpoch)),
      };
    });
  }

  return {
    append,
    async head(projectId): Promise<Position> {
      const [row] = await rows<Position>(
        'SELECT head_epoch AS epoch, head_sequence AS sequence FROM log_head_v1($1, $2, $3)',
        [nodeId, projectId, newEpoch()],
      );
      return row ?? { epoch: 0, sequence: 0 };
    },
    async positionAt(projectId, sequence) {
      const [row] = await rows<{ epoch: number }>('SELECT epoch_of_v1($1, $2) AS epoch', [
        projectId,
        sequence,
      ]);
      return { epoch: row?.epoch ?? 0, sequence };
    },
    async holds(projectId, { epoch, sequence }) {
      const [row] = await rows<{ holds: boolean }>(
        `SELECT $2::bigint <= head AND epoch_of_v1(project_id, $2) = $3::bigint AS holds FROM logs WHERE project_id = $1`,
        [projectId, sequence, epoch],
      );
      return row?.holds ?? false;
    },
    async trimmedThrough(projectId, address) {
      const [row] = await rows<{ through: number }>(
        'SELECT trimmed_through AS through FROM addresses WHERE project_id = $1 AND address = $2',
        [projectId, address],
      );
      return row?.through ?? 0;
    },
    async expiredThrough(projectId, address, { keep, since }, after) {
      const [row] = await rows<{ through: number }>(EXPIRED_THROUGH, [
        projectId,
        address,
        after,
        keep ?? null,
        since ?? null,
      ]);
      return row?.through ?? after;
    },
    ...createPostgresPageStore(store),
    ...createPostgresTrimStore(store, markDirty),
    sweepDuty: createSweepDuty(store),
    takeDirtyAddresses() {
      const taken = [...dirty.values()];
      dirty.clear();
      return taken;
    },
  };
}

/** The code of an append that was refused because a signal may have changed the rights of its publishers. */
const RIGHTS_CHANGED = 'SB003';

function asRightsChanged(error: unknown): never {
  throw (error as { code?: unknown }).code === RIGHTS_CHANGED ? new RightsChanged() : error;
}

/** See `Log.expiredThrough`. $3 after, $4 keep, $5 since; no row when nothing follows `after`. */
const EXPIRED_THROUGH = `
SELECT greatest(
  $3::bigint,
  CASE WHEN $4::bigint IS NOT NULL THEN (
    SELECT sequence FROM messages WHERE project_id = $1 AND address = $2 AND sequence > $3::bigint
    ORDER BY sequence DESC LIMIT 1 OFFSET $4::bigint) END,
  CASE WHEN $5::bigint IS NOT NULL THEN coalesce((
    SELECT previous FROM messages
    WHERE project_id = $1 AND address = $2 AND sequence > $3::bigint AND published_at >= $5::bigint
    ORDER BY sequence LIMIT 1), last) END) AS through
FROM addresses WHERE project_id = $1 AND address = $2 AND last > $3::bigint`;

/** A repeat has the same address, event and data as the first message, so these fields come from the draft. */
function contentOf({ projectId, address, event, data, idempotencyKey }: Draft) {
  return { projectId, address, event, data, idempotencyKey };
}

function toMessage(draft: Draft, logged: Message['logged']): Message {
  const { projectId, id, address, event, data, sender, publishedAt, idempotencyKey } = draft;
  return { projectId, id, address, event, data, sender, publishedAt, idempotencyKey, logged };
}
