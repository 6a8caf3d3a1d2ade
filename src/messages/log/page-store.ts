import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm';
import { type LogPage, type ReadRequest } from '../../broker/log.ts';
import { type Address, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { internBatch } from '../../batch.ts';
import { type Store } from '../../store/store.ts';
import { messages } from './tables.ts';
import { type AddressStore } from './address-store.ts';
import { logPlace, type EpochStore } from './epoch-store.ts';
import { SharedPages, type Page } from './shared-pages.ts';

/** The reads of the log: see Log. */
export interface PageStore {
  read(request: ReadRequest, head: Position): LogPage;
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number; limit: number },
  ): LogPage;
  /** Messages are gone: nothing that was read before holds. */
  forget(): void;
}

/** How far one read looks, so that a caller who hears little of a busy log does not scan all of it in one turn. */
const READ_WINDOW = 5000;
/** What one read of so few addresses found, another one of the same is given as well. */
const MAX_SHARED_ADDRESSES = 16;

const given = sql.placeholder;

export function createPageStore({ db }: Store, addresses: AddressStore, epochs: EpochStore): PageStore {
  const shared = new SharedPages();
  const ofProject = eq(messages.projectId, given('projectId'));
  /** First only how large they are: what a page has no room for is not read, and not parsed. */
  const size = { sequence: messages.sequence, bytes: sql<number | null>`octet_length(${messages.data})` };
  const sizesOfOne = db
    .select(size)
    .from(messages)
    .where(and(ofProject, eq(messages.address, given('address')), gt(messages.sequence, given('after'))))
    .orderBy(asc(messages.sequence))
    .limit(given('limit'))
    .prepare();
  const sizesOfMany = db
    .select(size)
    .from(messages)
    .where(
      and(
        ofProject,
        gt(messages.sequence, given('after')),
        lte(messages.sequence, given('through')),
        // The unary plus keeps SQLite on the primary key, which is in the order that is asked for.
        sql`+${messages.address} in (select value from json_each(${given('addresses')}))`,
      ),
    )
    .orderBy(asc(messages.sequence))
    .limit(given('limit'))
    .prepare();
  const rowsOf = db
    .select()
    .from(messages)
    .where(and(ofProject, sql`${messages.sequence} in (select value from json_each(${given('sequences')}))`))
    .orderBy(asc(messages.sequence))
    .prepare();

  function readPage(request: ReadRequest, asked: readonly Address[], head: Position): Page {
    const { projectId, after, limit, maxBytes = Number.POSITIVE_INFINITY } = request;
    const [only] = asked;
    if (only === undefined) return { messages: [], bytes: 0, through: head.sequence, isFull: false };
    const through = asked.length === 1 ? head.sequence : Math.min(head.sequence, after + READ_WINDOW);
    const wanted = { projectId, after, through, limit: limit + 1 };
    const sizes =
      asked.length === 1
        ? sizesOfOne.all({ ...wanted, address: only })
        : sizesOfMany.all({ ...wanted, addresses: JSON.stringify(asked) });
    const { sequences, bytes } = fit(sizes, limit, maxBytes);
    const isFull = sequences.length < sizes.length;
    const rows = rowsOf.all({ projectId, sequences: JSON.stringify(sequences) });
    return {
      messages: rows.map((row) => fromRow(row, epochs)),
      bytes,
      through: isFull ? (sequences.at(-1) ?? after) : through,
      isFull,
    };
  }

  function lostOf({ projectId, after, addresses: asked }: ReadRequest): Address[] {
    if (after >= addresses.trimmedAnywhere(projectId)) return [];
    return [...asked]
      .filter(([address, floor]) => addresses.of(projectId, address).trimmedThrough > Math.max(after, floor))
      .map(([address]) => address);
  }

  return {
    read(request, head) {
      addresses.bound();
      const { projectId, after, addresses: asked, limit, maxBytes } = request;
      // Where nothing was said since there is nothing to look for: of all that an inbox hears, that is most of it.
      const spoken = [...asked.keys()].filter((address) => addresses.of(projectId, address).last > after);
      const read = () => readPage(request, spoken, head);
      const isShared = spoken.length > 0 && spoken.length <= MAX_SHARED_ADDRESSES;
      const key = JSON.stringify([projectId, after, limit, maxBytes, ...spoken]);
      const page = isShared ? shared.take(key, head, read) : read();
      const isAfterFloor = ({ address, logged }: Message) =>
        (logged?.sequence ?? 0) > (asked.get(address) ?? 0);
      return {
        messages: page.messages.every(isAfterFloor)
          ? page.messages
          : internBatch(page.messages.filter(isAfterFloor)),
        through: page.through,
        hasMore: page.isFull || page.through < head.sequence,
        lost: lostOf(request),
      };
    },
    readBack(projectId, address, { after, before, limit }) {
      const rows = db
        .select()
        .from(messages)
        .where(
          and(
            eq(messages.projectId, projectId),
            eq(messages.address, address),
            gt(messages.sequence, after),
            lt(messages.sequence, before),
          ),
        )
        .orderBy(desc(messages.sequence))
        .limit(limit + 1)
        .all();
      const page = rows.slice(0, limit).reverse();
      return {
        messages: page.map((row) => fromRow(row, epochs)),
        through: before,
        hasMore: rows.length > limit,
        lost: [],
      };
    },
    forget: () => shared.forget(),
  };
}

/** The first ones, no more than `limit` and `maxBytes`, but one at least. */
function fit(
  sizes: readonly { sequence: number; bytes: number | null }[],
  limit: number,
  maxBytes: number,
): { sequences: number[]; bytes: number } {
  const sequences: number[] = [];
  let bytes = 0;
  for (const size of sizes) {
    const isOver = bytes + (size.bytes ?? 0) > maxBytes && sequences.length > 0;
    if (isOver || sequences.length === limit) break;
    sequences.push(size.sequence);
    bytes += size.bytes ?? 0;
  }
  return { sequences, bytes };
}

function fromRow(row: typeof messages.$inferSelect, epochs: EpochStore): Message {
  const { projectId, id, address, event, sender, publishedAt, sequence, previous } = row;
  const logged = logPlace(epochs, projectId, sequence, previous);
  return {
    projectId,
    id,
    address,
    event,
    data: row.data ?? null,
    sender,
    publishedAt,
    logged,
  };
}
