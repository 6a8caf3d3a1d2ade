import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm';
import { type Appended, type Log, type LogPage, type ReadRequest } from '../broker/log.ts';
import { type Address, type Draft, type Message, type Sender } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type RandomBytes } from '../ids.ts';
import { type SqliteStore } from '../store/store.ts';
import { logs, messages } from '../store/tables.ts';
import { createAddressStore, type AddressKey, type AddressStore } from './address-store.ts';
import { createIdempotencyStore, type IdempotencyStore } from './idempotency-store.ts';
import { createTrimStore, type TrimStore } from './trim-store.ts';

/** The log as rows, and what keeps it in bounds. */
export interface LogStore extends Log, TrimStore {
  listAddresses: AddressStore['list'];
  listProjects(): string[];
  forgetKeys: IdempotencyStore['forget'];
  /** Addresses that were appended to since the last call. */
  takeGrown(): AddressKey[];
}

/** How far one read looks, so that a caller who hears little of a busy log does not scan all of it in one turn. */
const READ_WINDOW = 5000;

export function createLogStore(store: SqliteStore, randomBytes: RandomBytes): LogStore {
  const { db, transaction } = store;
  const heads = new Map<string, Position>();
  const grown = new Map<string, AddressKey>();
  const addresses = createAddressStore(store);
  const idempotency = createIdempotencyStore(store);

  const inAddress = and(
    eq(messages.projectId, sql.placeholder('projectId')),
    eq(messages.address, sql.placeholder('address')),
  );
  const insertMessage = db
    .insert(messages)
    .values({
      projectId: sql.placeholder('projectId'),
      sequence: sql.placeholder('sequence'),
      address: sql.placeholder('address'),
      previous: sql.placeholder('previous'),
      id: sql.placeholder('id'),
      event: sql.placeholder('event'),
      data: sql.placeholder('data'),
      sender: sql.placeholder('sender'),
      publishedAt: sql.placeholder('publishedAt'),
    })
    .prepare();
  const readOne = db
    .select()
    .from(messages)
    .where(and(inAddress, gt(messages.sequence, sql.placeholder('after'))))
    .orderBy(asc(messages.sequence))
    .limit(sql.placeholder('limit'))
    .prepare();
  const readMany = db
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.projectId, sql.placeholder('projectId')),
        gt(messages.sequence, sql.placeholder('after')),
        lte(messages.sequence, sql.placeholder('through')),
        // The unary plus keeps SQLite on the primary key, which is in the order that is asked for.
        sql`+${messages.address} in (select value from json_each(${sql.placeholder('addresses')}))`,
      ),
    )
    .orderBy(asc(messages.sequence))
    .limit(sql.placeholder('limit'))
    .prepare();

  function head(projectId: string): Position {
    const known = heads.get(projectId);
    if (known) return known;
    const { epoch, head: sequence } =
      db.select().from(logs).where(eq(logs.projectId, projectId)).get() ?? beginLog(projectId);
    const position = { epoch, sequence };
    heads.set(projectId, position);
    return position;
  }

  function beginLog(projectId: string) {
    const row = { projectId, epoch: Buffer.from(randomBytes(4)).readUInt32BE(), head: 0 };
    db.insert(logs).values(row).run();
    return row;
  }

  function appendOne(draft: Draft, touched: Map<string, AddressKey>): Appended {
    const used = idempotency.find(draft);
    if (used) return used.isSame ? { outcome: 'REPEATED', message: used.message } : { outcome: 'CONFLICT' };
    const message = draft.ephemeral ? toMessage(draft, null) : insert(draft);
    idempotency.save(draft, message);
    const { projectId, address } = draft;
    if (!draft.ephemeral) touched.set(`${projectId}\n${address}`, { projectId, address });
    return { outcome: 'APPENDED', message };
  }

  function insert(draft: Draft): Message {
    const { projectId, address } = draft;
    const { epoch, sequence: last } = head(projectId);
    const sequence = last + 1;
    const state = addresses.of(projectId, address);
    const message = toMessage(draft, { epoch, sequence, previous: state.last });
    insertMessage.run({ ...draft, sequence, previous: state.last });
    heads.set(projectId, { epoch, sequence });
    state.last = sequence;
    return message;
  }

  /** Once for a batch, however many messages it appended. */
  function saveEnds(touched: Map<string, AddressKey>): void {
    const projectIds = new Set<string>();
    for (const { projectId, address } of touched.values()) {
      addresses.save(projectId, address, addresses.of(projectId, address));
      projectIds.add(projectId);
    }
    for (const projectId of projectIds) {
      const { sequence } = head(projectId);
      db.update(logs).set({ head: sequence }).where(eq(logs.projectId, projectId)).run();
    }
  }

  function lostOf({ projectId, after, addresses: asked }: ReadRequest): Address[] {
    if (after >= addresses.trimmedAnywhere(projectId)) return [];
    return [...asked]
      .filter(([address, floor]) => addresses.of(projectId, address).trimmedThrough > Math.max(after, floor))
      .map(([address]) => address);
  }

  /** What the caches learned in a transaction that failed never happened. */
  function atomically<T>(work: () => T): T {
    addresses.bound();
    try {
      return transaction(work);
    } catch (error) {
      heads.clear();
      addresses.forget();
      throw error;
    }
  }

  return {
    head,
    append(drafts) {
      if (drafts.every((draft) => draft.ephemeral && !draft.idempotency)) {
        return drafts.map((draft) => ({ outcome: 'APPENDED', message: toMessage(draft, null) }));
      }
      const touched = new Map<string, AddressKey>();
      const appended = atomically(() => {
        const outcomes = drafts.map((draft) => appendOne(draft, touched));
        saveEnds(touched);
        return outcomes;
      });
      for (const [key, at] of touched) grown.set(key, at);
      return appended;
    },
    read(request): LogPage {
      addresses.bound();
      const { projectId, after, addresses: asked, limit } = request;
      const { epoch, sequence: last } = head(projectId);
      const only = asked.size === 1 ? [...asked.keys()][0] : undefined;
      const through = only === undefined ? Math.min(last, after + READ_WINDOW) : last;
      const wanted = { projectId, after, through, limit: limit + 1 };
      const rows =
        only === undefined
          ? readMany.all({ ...wanted, addresses: JSON.stringify([...asked.keys()]) })
          : readOne.all({ ...wanted, address: only });
      const isFull = rows.length > limit;
      const page = isFull ? rows.slice(0, limit) : rows;
      const seenThrough = isFull ? (page.at(-1)?.sequence ?? after) : through;
      return {
        messages: page
          .filter((row) => row.sequence > (asked.get(row.address as Address) ?? 0))
          .map((row) => fromRow(row, epoch)),
        through: seenThrough,
        hasMore: isFull || seenThrough < last,
        lost: lostOf(request),
      };
    },
    readBack(projectId, address, { after, before }, limit) {
      const { epoch } = head(projectId);
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
        messages: page.map((row) => fromRow(row, epoch)),
        through: before,
        hasMore: rows.length > limit,
        lost: [],
      };
    },
    trimmedThrough: (projectId, address) => addresses.of(projectId, address).trimmedThrough,
    ...createTrimStore(store, addresses, atomically),
    listAddresses: addresses.list,
    listProjects: () =>
      db
        .select({ projectId: logs.projectId })
        .from(logs)
        .all()
        .map(({ projectId }) => projectId),
    forgetKeys: idempotency.forget,
    takeGrown() {
      const taken = [...grown.values()];
      grown.clear();
      return taken;
    },
  };
}

function toMessage(draft: Draft, logged: Message['logged']): Message {
  const { projectId, id, address, event, data, sender, publishedAt } = draft;
  return { projectId, id, address, event, data, sender, publishedAt, logged };
}

function fromRow(row: typeof messages.$inferSelect, epoch: number): Message {
  const { projectId, id, event, publishedAt, sequence, previous } = row;
  const logged = { epoch, sequence, previous };
  const sender = row.sender as unknown as Sender;
  return {
    projectId,
    id,
    address: row.address as Address,
    event,
    data: row.data ?? null,
    sender,
    publishedAt,
    logged,
  };
}
