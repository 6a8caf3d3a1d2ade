import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm';
import { type LogPage, type ReadRequest } from '../../broker/log.ts';
import { type Address, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { internBatch } from '../../batch.ts';
import { DAMAGED } from '../../store/columns.ts';
import { type SqliteStore } from '../../store/store.ts';
import { messages } from './tables.ts';
import { type AddressStore } from './address-store.ts';
import { loggedPosition, type EpochStore } from './epoch-store.ts';
import { SharedPages, type Page } from './shared-pages.ts';

/** The reads of the log. See Log. */
export interface PageStore {
  read(request: ReadRequest, head: Position): LogPage;
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number; limit: number },
  ): LogPage;
  /** Drops all shared pages. Must be called when messages are removed. */
  clear(): void;
}

/**
 * Maximum number of log entries that a read of several addresses scans. Without it, a read of rarely used addresses in a
 * busy log would block the event loop.
 */
const READ_WINDOW = 5000;
/** Reads of up to this many addresses share their pages; the addresses are part of the cache key. */
const MAX_SHARED_ADDRESSES = 16;

type Row = typeof messages.$inferSelect;

const placeholder = sql.placeholder;

export function createPageStore(
  { sync: db, reportDamage }: SqliteStore,
  addresses: AddressStore,
  epochs: EpochStore,
): PageStore {
  const shared = new SharedPages();
  const ofProject = eq(messages.projectId, placeholder('projectId'));
  /** Sizes are read first, so that messages beyond the page limits are neither loaded nor parsed. */
  const size = { sequence: messages.sequence, bytes: sql<number | null>`octet_length(${messages.data})` };
  const sizesOfOneAddress = db
    .select(size)
    .from(messages)
    .where(
      and(
        ofProject,
        eq(messages.address, placeholder('address')),
        gt(messages.sequence, placeholder('after')),
      ),
    )
    .orderBy(asc(messages.sequence))
    .limit(placeholder('limit'))
    .prepare();
  const sizesOfManyAddresses = db
    .select(size)
    .from(messages)
    .where(
      and(
        ofProject,
        gt(messages.sequence, placeholder('after')),
        lte(messages.sequence, placeholder('through')),
        // The unary plus keeps SQLite on the primary key, whose order is the requested order.
        sql`+${messages.address} in (select value from json_each(${placeholder('addresses')}))`,
      ),
    )
    .orderBy(asc(messages.sequence))
    .limit(placeholder('limit'))
    .prepare();
  const rowsOf = db
    .select()
    .from(messages)
    .where(
      and(ofProject, sql`${messages.sequence} in (select value from json_each(${placeholder('sequences')}))`),
    )
    .orderBy(asc(messages.sequence))
    .prepare();

  function readPage(request: ReadRequest, addressesToRead: readonly Address[], head: Position): Page {
    const { projectId, after, limit, maxBytes = Number.POSITIVE_INFINITY } = request;
    const [first] = addressesToRead;
    if (first === undefined)
      return { messages: [], damaged: [], bytes: 0, through: head.sequence, isFull: false };
    const through =
      addressesToRead.length === 1 ? head.sequence : Math.min(head.sequence, after + READ_WINDOW);
    const wanted = { projectId, after, through, limit: limit + 1 };
    const sizes =
      addressesToRead.length === 1
        ? sizesOfOneAddress.all({ ...wanted, address: first })
        : sizesOfManyAddresses.all({ ...wanted, addresses: JSON.stringify(addressesToRead) });
    const { sequences, bytes } = fitPage(sizes, limit, maxBytes);
    const isFull = sequences.length < sizes.length;
    const rows = rowsOf.all({ projectId, sequences: JSON.stringify(sequences) });
    return {
      ...toMessages(rows),
      bytes,
      through: isFull ? (sequences.at(-1) ?? after) : through,
      isFull,
    };
  }

  /** Skips damaged rows: one of them must not make the rest of the log unreadable. */
  function toMessages(rows: readonly Row[]): { messages: Message[]; damaged: Address[] } {
    const found: Message[] = [];
    const damaged: Address[] = [];
    for (const row of rows) {
      const message = fromRow(row, epochs);
      if (message) found.push(message);
      else {
        damaged.push(row.address);
        reportDamage('messages', `${row.address}, sequence ${row.sequence}`);
      }
    }
    return { messages: found, damaged };
  }

  function lostOf({ projectId, after, addresses: floors }: ReadRequest): Address[] {
    if (after >= addresses.maxTrimmedThrough(projectId)) return [];
    return [...floors]
      .filter(([address, floor]) => addresses.of(projectId, address).trimmedThrough > Math.max(after, floor))
      .map(([address]) => address);
  }

  return {
    read(request, head) {
      addresses.evictIfFull();
      const { projectId, after, addresses: floors, limit, maxBytes } = request;
      // Skip addresses without new messages, which are most of the addresses of an inbox.
      const active = [...floors.keys()].filter((address) => addresses.of(projectId, address).last > after);
      const read = () => readPage(request, active, head);
      const isShared = active.length > 0 && active.length <= MAX_SHARED_ADDRESSES;
      const key = JSON.stringify([projectId, after, limit, maxBytes, ...active]);
      const page = isShared ? shared.getOrRead(key, head, read) : read();
      const isAboveFloor = ({ address, logged }: Message) =>
        (logged?.sequence ?? 0) > (floors.get(address) ?? 0);
      return {
        messages: page.messages.every(isAboveFloor)
          ? page.messages
          : internBatch(page.messages.filter(isAboveFloor)),
        through: page.through,
        hasMore: page.isFull || page.through < head.sequence,
        lost: lostOf(request),
        damaged: page.damaged,
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
        ...toMessages(page),
        through: before,
        hasMore: rows.length > limit,
        lost: [],
      };
    },
    clear: () => shared.clear(),
  };
}

/** The longest prefix within `limit` and `maxBytes`, but at least one message. */
function fitPage(
  sizes: readonly { sequence: number; bytes: number | null }[],
  limit: number,
  maxBytes: number,
): { sequences: number[]; bytes: number } {
  const sequences: number[] = [];
  let bytes = 0;
  for (const size of sizes) {
    const isFull = bytes + (size.bytes ?? 0) > maxBytes && sequences.length > 0;
    if (isFull || sequences.length === limit) break;
    sequences.push(size.sequence);
    bytes += size.bytes ?? 0;
  }
  return { sequences, bytes };
}

/** Undefined when the row is damaged. */
function fromRow(row: Row, epochs: EpochStore): Message | undefined {
  const { projectId, id, address, event, sender, publishedAt, idempotencyKey } = row;
  if (row.data === DAMAGED || sender === DAMAGED || typeof publishedAt !== 'number') return undefined;
  const logged = loggedPosition(epochs, projectId, row);
  return {
    projectId,
    id,
    address,
    event,
    data: row.data ?? null,
    sender,
    publishedAt,
    idempotencyKey: idempotencyKey ?? undefined,
    logged,
  };
}
