import { internBatch } from '../../batch.ts';
import { type LogHead, type LogRange } from '../../broker/async-log.ts';
import { type LogPage, type ReadRequest } from '../../broker/log.ts';
import { type Address, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type PostgresStore } from '../../store/store.ts';
import { MESSAGE_COLUMNS, toMessage, type MessageColumns } from './postgres-rows.ts';
import { shareNext } from './share-next.ts';

/** Maximum number of log entries that a read of several addresses spans. It bounds the rows that the database sorts. */
const READ_WINDOW = 5000;

/**
 * One page of several addresses and everything that must be of the same snapshot. $1 project, $2 after, $3 addresses, $4
 * limit, $5 maximum bytes of data (null: none).
 */
const READ_PAGE = `
WITH active AS (
  SELECT address FROM addresses WHERE project_id = $1 AND address = ANY ($3::text[]) AND last > $2::bigint
), bound AS (
  SELECT head, CASE WHEN (SELECT count(*) FROM active) = 1 THEN head ELSE least(head, $2::bigint + ${READ_WINDOW}) END AS through
  FROM logs WHERE project_id = $1
), candidates AS (
  SELECT m.* FROM active CROSS JOIN LATERAL (
    SELECT * FROM messages m WHERE m.project_id = $1 AND m.address = active.address
      AND m.sequence > $2::bigint AND m.sequence <= (SELECT through FROM bound)
    ORDER BY m.sequence LIMIT $4::bigint + 1) m
  ORDER BY m.sequence LIMIT $4::bigint + 1
), measured AS (
  SELECT *, row_number() OVER (ORDER BY sequence) AS nth,
    sum(coalesce(octet_length(data::text), 0)) OVER (ORDER BY sequence) AS total
  FROM candidates
), page AS (
  SELECT * FROM measured WHERE nth <= $4::bigint AND (nth = 1 OR $5::bigint IS NULL OR total <= $5::bigint)
)
SELECT
  (SELECT head FROM bound) AS head,
  (SELECT through FROM bound) AS through,
  (SELECT count(*) FROM active) AS active,
  (SELECT count(*) FROM measured) > (SELECT count(*) FROM page) AS is_full,
  (SELECT json_agg(${MESSAGE_COLUMNS} ORDER BY m.sequence) FROM page m) AS messages,
  (SELECT json_object_agg(address, trimmed_through) FROM addresses
    WHERE project_id = $1 AND address = ANY ($3::text[]) AND trimmed_through > $2::bigint) AS trimmed`;

interface PageRow {
  /** Null before the first message of the project. */
  head: number | null;
  through: number | null;
  active: number;
  is_full: boolean;
  messages: string | null;
  trimmed: string | null;
}

/** The result of one read, before the floors of the reader apply. Readers with an equal request share it. */
interface SharedPage {
  messages: Message[];
  through: number;
  hasMore: boolean;
  trimmed: Readonly<Record<string, number>>;
}

const READ_BACK = `
SELECT json_agg(${MESSAGE_COLUMNS} ORDER BY m.sequence DESC) AS messages FROM (
  SELECT * FROM messages WHERE project_id = $1 AND address = $2 AND sequence > $3::bigint AND sequence < $4::bigint
  ORDER BY sequence DESC LIMIT $5::bigint) m`;

/**
 * One statement, so that the messages and the head are of the same snapshot. $2 after, $3 through, $4 limit, $5 maximum bytes of
 * data, $6 the epoch of `after`.
 */
const READ_RANGE = `
WITH measured AS (
  SELECT *, row_number() OVER (ORDER BY sequence) AS nth,
    sum(coalesce(octet_length(data::text), 0)) OVER (ORDER BY sequence) AS total
  FROM (
    SELECT * FROM messages WHERE project_id = $1 AND sequence > $2::bigint AND sequence <= $3::bigint
    ORDER BY sequence LIMIT $4::bigint + 1) candidates
), page AS (
  SELECT * FROM measured WHERE nth <= $4::bigint AND (nth = 1 OR total <= $5::bigint)
)
SELECT head, $2::bigint <= head AND epoch_of_v1($1, $2::bigint) = $6::bigint AS holds,
  (SELECT count(*) FROM measured) > (SELECT count(*) FROM page) AS is_full,
  (SELECT json_agg(${MESSAGE_COLUMNS} ORDER BY m.sequence) FROM page m) AS messages,
  epoch_of_v1($1, least(head, $3::bigint)) AS end_epoch
FROM logs WHERE project_id = $1`;

/** $1 projects, $2 and $3 a position of each. */
const READ_HEADS = `
SELECT id, coalesce(head, 0) AS head, coalesce(sequence <= head AND epoch_of_v1(id, sequence) = epoch, false) AS holds
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS position(id, sequence, epoch)
LEFT JOIN logs ON project_id = id`;

interface RangeRow extends LogHead {
  is_full: boolean;
  messages: string | null;
  end_epoch: number;
}

/** The reads of the log on PostgreSQL; see Log and AsyncLog. */
export function createPostgresPageStore({ rows }: PostgresStore) {
  const share = shareNext<SharedPage>();

  const parse = (projectId: string, messages: string | null | undefined): Message[] =>
    ((messages ? JSON.parse(messages) : []) as MessageColumns[]).map((columns) =>
      toMessage(projectId, columns),
    );

  async function readPage(request: ReadRequest, addresses: readonly Address[]): Promise<SharedPage> {
    const { projectId, after, limit, maxBytes } = request;
    const [row] = await rows<PageRow>(READ_PAGE, [projectId, after, addresses, limit, maxBytes ?? null]);
    const head = row?.head ?? 0;
    const messages = parse(projectId, row?.messages);
    const isFull = row?.is_full ?? false;
    const end = row?.active === 0 ? head : (row?.through ?? head);
    const through = isFull ? (messages.at(-1)?.logged?.sequence ?? after) : end;
    return {
      messages,
      through,
      hasMore: isFull || through < head,
      trimmed: (row?.trimmed ? JSON.parse(row.trimmed) : {}) as Record<string, number>,
    };
  }

  return {
    async read(request: ReadRequest): Promise<LogPage> {
      const { projectId, after, addresses: floors, limit, maxBytes } = request;
      const addresses = [...floors.keys()];
      const key = JSON.stringify([projectId, after, limit, maxBytes, ...addresses]);
      const page = await share(key, () => readPage(request, addresses));
      const isAboveFloor = ({ address, logged }: Message) =>
        (logged?.sequence ?? 0) > (floors.get(address) ?? 0);
      return {
        messages: page.messages.every(isAboveFloor)
          ? page.messages
          : internBatch(page.messages.filter(isAboveFloor)),
        through: page.through,
        hasMore: page.hasMore,
        lost: addresses.filter(
          (address) => (page.trimmed[address] ?? 0) > Math.max(after, floors.get(address) ?? 0),
        ),
        damaged: [],
      };
    },
    async readBack(
      projectId: string,
      address: Address,
      { after, before }: { after: number; before: number },
      limit: number,
    ): Promise<LogPage> {
      const [row] = await rows<{ messages: string | null }>(READ_BACK, [
        projectId,
        address,
        after,
        before,
        limit + 1,
      ]);
      const newestFirst = parse(projectId, row?.messages);
      return {
        messages: newestFirst.slice(0, limit).reverse(),
        through: before,
        hasMore: newestFirst.length > limit,
        lost: [],
        damaged: [],
      };
    },
    async readRange(projectId: string, { after, through, limit, maxBytes }: LogRange) {
      const [row] = await rows<RangeRow>(READ_RANGE, [
        projectId,
        after.sequence,
        through,
        limit,
        maxBytes,
        after.epoch,
      ]);
      if (!row) return { messages: [], head: 0, holds: false, isFull: false, end: after };
      const { head, holds, is_full: isFull } = row;
      const messages = parse(projectId, row.messages);
      const last = messages.at(-1)?.logged ?? after;
      const end = isFull ? last : { epoch: row.end_epoch, sequence: Math.min(head, through) };
      return { messages, head, holds, isFull, end };
    },
    async headsOf(positions: ReadonlyMap<string, Position>): Promise<ReadonlyMap<string, LogHead>> {
      const column = (name: keyof Position) => [...positions.values()].map((position) => position[name]);
      const found = await rows<LogHead & { id: string }>(READ_HEADS, [
        [...positions.keys()],
        column('sequence'),
        column('epoch'),
      ]);
      return new Map(found.map(({ id, ...head }) => [id, head]));
    },
  };
}
