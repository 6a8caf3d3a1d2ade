import { and, asc, desc, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm';
import { type Appended, type Log, type LogPage, type ReadRequest } from '../broker/log.ts';
import { type Address, type Draft, type Message, type Sender } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type RandomBytes } from '../ids.ts';
import { type Json } from '../names.ts';
import { type SqliteStore } from '../store/store.ts';
import { addresses, idempotencyKeys, logs, messages } from '../store/tables.ts';

/** The log as rows, and what keeps it in bounds. */
export interface LogStore extends Log {
  /**
   * Removes up to `limit` of the oldest messages of an address, all but the newest `keep` and those published before
   * `before` (milliseconds since 1970). Returns how many.
   */
  trim(projectId: string, address: Address, bounds: { keep: number; before: number }, limit: number): number;
  /** Removes up to `limit` of the project's oldest messages that were published before `before`. Returns how many. */
  trimAge(projectId: string, before: number, limit: number): number;
  /** Addresses of any project that hold messages, sorted, after the given one. */
  listAddresses(
    after: { projectId: string; address: string },
    limit: number,
  ): { projectId: string; address: Address }[];
  listProjects(): string[];
  /** Forgets up to `limit` idempotency keys that ended before `now`. Returns how many. */
  forgetKeys(now: number, limit: number): number;
  /** Addresses that were appended to since the last call. */
  takeGrown(): { projectId: string; address: Address }[];
}

/** How far one read looks, so that a caller who hears little of a busy log does not scan all of it in one turn. */
const READ_WINDOW = 5000;
const MAX_CACHED_ADDRESSES = 50_000;

interface AddressState {
  last: number;
  trimmedThrough: number;
}

export function createLogStore({ db, transaction }: SqliteStore, randomBytes: RandomBytes): LogStore {
  const heads = new Map<string, Position>();
  /** The highest sequence trimmed in a project: whoever reads after it has lost nothing anywhere. */
  const trimmed = new Map<string, number>();
  const states = new Map<string, AddressState>();
  const grown = new Map<string, { projectId: string; address: Address }>();

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
  const findAddress = db
    .select({ last: addresses.last, trimmedThrough: addresses.trimmedThrough })
    .from(addresses)
    .where(
      and(
        eq(addresses.projectId, sql.placeholder('projectId')),
        eq(addresses.address, sql.placeholder('address')),
      ),
    )
    .prepare();
  const findKey = db
    .select()
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.projectId, sql.placeholder('projectId')),
        eq(idempotencyKeys.key, sql.placeholder('key')),
      ),
    )
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

  function stateOf(projectId: string, address: Address): AddressState {
    const key = `${projectId}\n${address}`;
    const known = states.get(key);
    if (known) return known;
    const state = findAddress.all({ projectId, address })[0] ?? { last: 0, trimmedThrough: 0 };
    states.set(key, state);
    return state;
  }

  /** Only between transactions: within one, a state may not be in the rows yet. */
  function boundCache(): void {
    if (states.size >= MAX_CACHED_ADDRESSES) states.clear();
  }

  function saveState(projectId: string, address: Address, state: AddressState): void {
    const set = { last: state.last, trimmedThrough: state.trimmedThrough };
    const target = [addresses.projectId, addresses.address];
    db.insert(addresses)
      .values({ projectId, address, ...set })
      .onConflictDoUpdate({ target, set })
      .run();
  }

  function appendOne(draft: Draft, touched: Map<string, Draft>): Appended {
    const { projectId, address, idempotency } = draft;
    if (idempotency) {
      const used = findKey.all({ projectId, key: idempotency.key })[0];
      if (used && used.expiresAt > draft.publishedAt) {
        if (used.fingerprint !== idempotency.fingerprint) return { outcome: 'CONFLICT' };
        return { outcome: 'REPEATED', message: used.message as unknown as Message };
      }
    }
    const message = draft.ephemeral ? toMessage(draft, null) : insert(draft);
    if (idempotency) {
      const { key, fingerprint, expiresAt } = idempotency;
      const set = { fingerprint, message: message as unknown as Json, expiresAt };
      db.insert(idempotencyKeys)
        .values({ projectId, key, ...set })
        .onConflictDoUpdate({ target: [idempotencyKeys.projectId, idempotencyKeys.key], set })
        .run();
    }
    if (!draft.ephemeral) touched.set(`${projectId}\n${address}`, draft);
    return { outcome: 'APPENDED', message };
  }

  function insert(draft: Draft): Message {
    const { projectId, address } = draft;
    const { epoch, sequence: last } = head(projectId);
    const sequence = last + 1;
    const state = stateOf(projectId, address);
    const message = toMessage(draft, { epoch, sequence, previous: state.last });
    insertMessage.run({ ...draft, sequence, previous: state.last });
    heads.set(projectId, { epoch, sequence });
    state.last = sequence;
    return message;
  }

  function flush(touched: Map<string, Draft>): void {
    const projectIds = new Set<string>();
    for (const [key, { projectId, address }] of touched) {
      const state = states.get(key);
      if (state) saveState(projectId, address, state);
      projectIds.add(projectId);
    }
    for (const projectId of projectIds) {
      db.update(logs)
        .set({ head: head(projectId).sequence })
        .where(eq(logs.projectId, projectId))
        .run();
    }
  }

  /** In the same transaction: the rows go, and the address says so. */
  function remove(projectId: string, rows: { sequence: number; address: string }[]): number {
    if (rows.length === 0) return 0;
    const sequences = rows.map(({ sequence }) => sequence);
    db.delete(messages)
      .where(and(eq(messages.projectId, projectId), inArray(messages.sequence, sequences)))
      .run();
    const through = new Map<string, number>();
    for (const { address, sequence } of rows)
      through.set(address, Math.max(sequence, through.get(address) ?? 0));
    for (const [address, sequence] of through) {
      const state = stateOf(projectId, address as Address);
      state.trimmedThrough = Math.max(state.trimmedThrough, sequence);
      saveState(projectId, address as Address, state);
      trimmed.set(projectId, Math.max(trimmedAnywhere(projectId), sequence));
    }
    return rows.length;
  }

  function trimmedAnywhere(projectId: string): number {
    const known = trimmed.get(projectId);
    if (known !== undefined) return known;
    const row = db
      .select({ through: sql<number | null>`max(${addresses.trimmedThrough})` })
      .from(addresses)
      .where(eq(addresses.projectId, projectId))
      .get();
    const through = row?.through ?? 0;
    trimmed.set(projectId, through);
    return through;
  }

  function lostOf({ projectId, after, addresses: asked }: ReadRequest): Address[] {
    if (after >= trimmedAnywhere(projectId)) return [];
    return [...asked]
      .filter(([address, floor]) => stateOf(projectId, address).trimmedThrough > Math.max(after, floor))
      .map(([address]) => address);
  }

  function forget(): void {
    heads.clear();
    trimmed.clear();
    states.clear();
  }

  /** What the caches learned in a transaction that failed never happened. */
  function atomically<T>(work: () => T): T {
    boundCache();
    try {
      return transaction(work);
    } catch (error) {
      forget();
      throw error;
    }
  }

  return {
    head,
    append(drafts) {
      if (drafts.every((draft) => draft.ephemeral && !draft.idempotency)) {
        return drafts.map((draft) => ({ outcome: 'APPENDED', message: toMessage(draft, null) }));
      }
      const touched = new Map<string, Draft>();
      const appended = atomically(() => {
        const outcomes = drafts.map((draft) => appendOne(draft, touched));
        flush(touched);
        return outcomes;
      });
      for (const [key, { projectId, address }] of touched) grown.set(key, { projectId, address });
      return appended;
    },
    read(request): LogPage {
      boundCache();
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
    trimmedThrough: (projectId, address) => stateOf(projectId, address).trimmedThrough,
    trim: (projectId, address, { keep, before }, limit) =>
      atomically(() => {
        const oldest = readOne.all({ projectId, address, after: 0, limit });
        const firstKept = db
          .select({ sequence: messages.sequence })
          .from(messages)
          .where(and(eq(messages.projectId, projectId), eq(messages.address, address)))
          .orderBy(desc(messages.sequence))
          .limit(1)
          .offset(Math.max(0, keep - 1))
          .get();
        const keepFrom = keep === 0 ? Number.POSITIVE_INFINITY : (firstKept?.sequence ?? 0);
        return remove(
          projectId,
          oldest.filter((row) => row.sequence < keepFrom || row.publishedAt < before),
        );
      }),
    trimAge: (projectId, before, limit) =>
      atomically(() => {
        const oldest = db
          .select({
            sequence: messages.sequence,
            address: messages.address,
            publishedAt: messages.publishedAt,
          })
          .from(messages)
          .where(eq(messages.projectId, projectId))
          .orderBy(asc(messages.sequence))
          .limit(limit)
          .all();
        return remove(
          projectId,
          oldest.filter((row) => row.publishedAt < before),
        );
      }),
    listAddresses: (after, limit) =>
      db
        .select({ projectId: addresses.projectId, address: sql<Address>`${addresses.address}` })
        .from(addresses)
        .where(
          and(
            sql`(${addresses.projectId}, ${addresses.address}) > (${after.projectId}, ${after.address})`,
            gt(addresses.last, addresses.trimmedThrough),
          ),
        )
        .orderBy(asc(addresses.projectId), asc(addresses.address))
        .limit(limit)
        .all(),
    listProjects: () =>
      db
        .select({ projectId: logs.projectId })
        .from(logs)
        .all()
        .map(({ projectId }) => projectId),
    forgetKeys: (now, limit) =>
      db
        .delete(idempotencyKeys)
        .where(
          sql`rowid in (select rowid from ${idempotencyKeys} where ${lt(idempotencyKeys.expiresAt, now)} limit ${limit})`,
        )
        .run().changes,
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
