import { eq, sql } from 'drizzle-orm';
import { type Appended, type Log } from '../../broker/log.ts';
import { type Draft, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type RandomBytes } from '../../ids.ts';
import { type SqliteStore } from '../../store/store.ts';
import { logs, messages } from './tables.ts';
import { createEpochStore, loggedPosition } from './epoch-store.ts';
import { createChannelInstanceStore } from './channel-instance-store.ts';
import { createAddressStore, type AddressKey, type AddressStore } from './address-store.ts';
import { createExpiryStore } from './expiry-store.ts';
import { createPageStore } from './page-store.ts';
import { createIdempotencyStore, type IdempotencyStore } from './idempotency-store.ts';
import { createTrimStore, type TrimStore } from './trim-store.ts';

/** The log as database rows, with the operations that retention needs. */
export interface LogStore extends Log, TrimStore {
  listAddresses: AddressStore['list'];
  listProjects(): string[];
  /** The number of sequence numbers from the oldest to the newest message of each log, summed. Costs O(projects). */
  span(): number;
  /** The sequence of the newest message of each log, by project. */
  heads(): ReadonlyMap<string, number>;
  removeExpiredKeys: IdempotencyStore['removeExpired'];
  /** Addresses that messages were appended to since the last call. Each address is returned once. */
  takeDirtyAddresses(): AddressKey[];
}

export function createLogStore(store: SqliteStore, randomBytes: RandomBytes): LogStore {
  const { sync: db, transaction } = store;
  const heads = new Map<string, Position>();
  const dirty = new Map<string, AddressKey>();
  const addresses = createAddressStore(store);
  const epochs = createEpochStore(store, randomBytes);
  const idempotency = createIdempotencyStore(store);
  const channelInstances = createChannelInstanceStore(store);
  const pages = createPageStore(store, addresses, epochs);

  const insertMessage = store.compile(
    db.insert(messages).values({
      projectId: sql.placeholder('projectId'),
      sequence: sql.placeholder('sequence'),
      address: sql.placeholder('address'),
      previous: sql.placeholder('previous'),
      id: sql.placeholder('id'),
      event: sql.placeholder('event'),
      data: sql.placeholder('data'),
      sender: sql.placeholder('sender'),
      publishedAt: sql.placeholder('publishedAt'),
      ordinal: sql.placeholder('ordinal'),
      idempotencyKey: sql.placeholder('idempotencyKey'),
    }),
  );
  const saveHead = db
    .update(logs)
    .set({ head: sql`${sql.placeholder('sequence')}` })
    .where(eq(logs.projectId, sql.placeholder('projectId')))
    .prepare();

  // SQLite reads the oldest message of each project from the primary key.
  const oldest = sql`(select min(${messages.sequence}) from ${messages} where ${messages.projectId} = ${logs.projectId})`;
  const logSpan = db
    .select({ span: sql<number>`coalesce(sum(${logs.head} - ${oldest} + 1), 0)` })
    .from(logs)
    .prepare();

  function head(projectId: string): Position {
    const known = heads.get(projectId);
    if (known) return known;
    const { head: sequence } =
      db.select().from(logs).where(eq(logs.projectId, projectId)).get() ?? beginLog(projectId);
    const position = { epoch: epochs.of(projectId, sequence), sequence };
    heads.set(projectId, position);
    return position;
  }

  function beginLog(projectId: string) {
    const row = { projectId, head: 0 };
    db.insert(logs).values(row).run();
    epochs.beginLog(projectId);
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
    const { sequence: last } = head(projectId);
    epochs.ensure(projectId, last);
    const sequence = last + 1;
    const epoch = epochs.of(projectId, sequence);
    const state = addresses.of(projectId, address);
    // Messages of a deleted channel with the same id are no predecessors.
    const previous = state.last > (draft.channel?.createdAfter ?? 0) ? state.last : 0;
    const ordinal = previous === 0 ? 1 : state.lastOrdinal + 1;
    const message = toMessage(draft, loggedPosition(epochs, projectId, { sequence, previous, ordinal }));
    const { id, event, data, sender, publishedAt, idempotencyKey = null } = draft;
    // Listed one by one, because a spread of the draft takes as long as the encoding of the row.
    insertMessage({
      projectId,
      sequence,
      address,
      previous,
      id,
      event,
      data,
      sender,
      publishedAt,
      ordinal,
      idempotencyKey,
    });
    heads.set(projectId, { epoch, sequence });
    state.last = sequence;
    state.lastOrdinal = ordinal;
    if (state.count !== undefined) state.count++;
    return message;
  }

  function listProjects(): string[] {
    const rows = db.select({ projectId: logs.projectId }).from(logs).all();
    return rows.map(({ projectId }) => projectId);
  }

  /** Saves each address and each project once per transaction, however many messages were appended. */
  function saveHeads(touched: Map<string, AddressKey>): void {
    const projectIds = new Set<string>();
    for (const { projectId, address } of touched.values()) {
      addresses.save(projectId, address, addresses.of(projectId, address));
      projectIds.add(projectId);
    }
    for (const projectId of projectIds) {
      const { sequence } = head(projectId);
      saveHead.run({ projectId, sequence });
    }
  }

  /** Runs `work` in a transaction. A rollback clears the caches, which may hold uncommitted state. */
  function atomically<T>(work: () => T): T {
    addresses.evictIfFull();
    try {
      return transaction(work);
    } catch (error) {
      heads.clear();
      epochs.invalidate();
      addresses.clearCache();
      throw error;
    }
  }

  return {
    head,
    positionAt: (projectId, sequence) => ({ epoch: epochs.of(projectId, sequence), sequence }),
    holds: (projectId, position) => epochs.holds(projectId, position, head(projectId).sequence),
    append(drafts) {
      const isDeleted = channelInstances.createIsDeleted();
      if (drafts.every((draft) => draft.ephemeral && !draft.idempotency)) {
        return drafts.map((draft) =>
          isDeleted(draft)
            ? { outcome: 'CHANNEL_DELETED' }
            : { outcome: 'APPENDED', message: toMessage(draft, null) },
        );
      }
      const touched = new Map<string, AddressKey>();
      const appended = atomically(() => {
        const outcomes = drafts.map((draft): Appended =>
          isDeleted(draft) ? { outcome: 'CHANNEL_DELETED' } : appendOne(draft, touched),
        );
        saveHeads(touched);
        return outcomes;
      });
      for (const [key, addressKey] of touched) dirty.set(key, addressKey);
      return appended;
    },
    read: (request) => pages.read(request, head(request.projectId)),
    readBack: (projectId, address, range, limit) => pages.readBack(projectId, address, { ...range, limit }),
    trimmedThrough: (projectId, address) => addresses.of(projectId, address).trimmedThrough,
    ...createExpiryStore(store, addresses),
    ...createTrimStore(store, addresses, { atomically, onRemove: pages.clear }),
    listAddresses: addresses.list,
    listProjects,
    span: () => logSpan.all()[0]?.span ?? 0,
    heads: () => new Map(listProjects().map((projectId) => [projectId, head(projectId).sequence])),
    removeExpiredKeys: idempotency.removeExpired,
    takeDirtyAddresses() {
      const taken = [...dirty.values()];
      dirty.clear();
      return taken;
    },
  };
}

function toMessage(draft: Draft, logged: Message['logged']): Message {
  const { projectId, id, address, event, data, sender, publishedAt, idempotencyKey } = draft;
  return { projectId, id, address, event, data, sender, publishedAt, idempotencyKey, logged };
}
