import {
  and,
  asc,
  eq,
  exists,
  getTableColumns,
  gt,
  inArray,
  notExists,
  sql,
  type Column,
  type SQL,
} from 'drizzle-orm';
import { type Json } from '../names.ts';
import { notFound } from '../errors.ts';
import { DAMAGED } from '../store/columns.ts';
import { createLockProject } from '../store/project-lock.ts';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type RowWriter, type Write } from '../store/write.ts';
import { channels, memberships } from './tables.ts';
import { restrictions } from '../tokens/tables.ts';
import { type ChannelKind, type ChannelType } from '../projects/permissions.ts';
import { requireSettings } from '../projects/project.ts';
import { defaultSettings } from '../projects/project-settings.ts';
import { projects } from '../projects/tables.ts';
import { type Channel, type ChannelChange } from './channel.ts';

/** The columns that `updateChannel` changes. */
type ChannelUpdate = Partial<Pick<Channel, 'type' | 'kind' | 'historyMessages' | 'historySeconds'>>;

/** Receives the kinds that the project has when a channel of a kind is written. Throws to refuse it. */
type RequireKind = (kinds: readonly ChannelKind[]) => void;

/** Reads and writes the rows of channels; reads by id are cached. */
export function createChannelStore(store: Store) {
  const { db } = store;
  const lockProject = createLockProject(store);
  const at = (projectId: string, id: string) => and(eq(channels.projectId, projectId), eq(channels.id, id));
  const findOne = db
    .select()
    .from(channels)
    .where(and(eq(channels.projectId, sql.placeholder('projectId')), eq(channels.id, sql.placeholder('id'))))
    .prepare();

  const cache = new ChannelCache();

  /**
   * Executes a write of a channel of a kind. On PostgreSQL the kinds of the project stay the same until the transaction ends. On
   * SQLite they can change before each statement: then `write` is executed again.
   * @param write results in undefined, and writes nothing, when the condition `areUnchanged` on the row of the project is false
   */
  async function withKinds<T>(
    rows: RowWriter,
    projectId: string,
    requireKind: RequireKind,
    write: (areUnchanged: SQL) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    await lockProject(rows, projectId);
    for (let stored = await readKinds(rows, projectId); ;) {
      requireKind(stored.kinds);
      // The text is compared: PostgreSQL cannot compare JSON.
      const areUnchanged = sql`${eq(projects.id, projectId)} and ${SETTINGS_TEXT} = ${stored.text}`;
      const written = await write(areUnchanged);
      if (written !== undefined) return written;
      const current = await readKinds(rows, projectId);
      if (current.text === stored.text) return undefined;
      stored = current;
    }
  }

  async function update(
    rows: RowWriter,
    projectId: string,
    id: string,
    change: ChannelUpdate,
    condition?: SQL,
  ): Promise<Channel | undefined> {
    const [row] = await rows.db
      .update(channels)
      .set({ id, ...change })
      .where(and(at(projectId, id), condition))
      .returning();
    return row && toChannel(row);
  }

  return {
    /** The condition that the project has a channel of at least one of these kinds. */
    hasAnyOf: (projectId: string, kinds: readonly string[]): SQL =>
      exists(
        db
          .select({ id: channels.id })
          .from(channels)
          .where(and(eq(channels.projectId, projectId), inArray(channels.kind, [...kinds]))),
      ),
    /** Resolves to false, and writes nothing, when the id is taken. */
    async insert(channel: Channel): Promise<boolean> {
      const rows = await db.insert(channels).values(channel).onConflictDoNothing().returning();
      cache.delete(channel.projectId, channel.id);
      return rows.length > 0;
    },
    /** Inserts a channel of a kind. Results in false, and writes nothing, when the id is taken. */
    insertOfKind:
      (channel: Channel, requireKind: RequireKind): Write<boolean> =>
      async (rows) => {
        const isWritten = await withKinds(rows, channel.projectId, requireKind, async (areUnchanged) => {
          const written = await rows.db
            .insert(channels)
            .select(rows.db.select(valuesOf(channel)).from(projects).where(areUnchanged))
            .onConflictDoNothing()
            .returning({ id: channels.id });
          return written.length > 0 ? true : undefined;
        });
        cache.delete(channel.projectId, channel.id);
        return isWritten ?? false;
      },
    async find(projectId: string, id: string): Promise<Channel | undefined> {
      const cached = cache.get(projectId, id);
      if (cached) return cached;
      const { changes } = cache;
      const [row] = await findOne.execute({ projectId, id });
      if (!row) return undefined;
      // A change during the read may have replaced this row already.
      return cache.changes === changes ? cache.set(toChannel(row)) : toChannel(row);
    },
    /** Results in undefined when the channel does not exist. The cache changes with the signal that announces the change. */
    update:
      (projectId: string, id: string, change: ChannelUpdate): Write<Channel | undefined> =>
      (rows) =>
        update(rows, projectId, id, change),
    /** As `update`, for a change that sets a kind. */
    updateKind:
      (
        projectId: string,
        id: string,
        change: ChannelUpdate,
        requireKind: RequireKind,
      ): Write<Channel | undefined> =>
      (rows) =>
        withKinds(rows, projectId, requireKind, (areUnchanged) => {
          const project = db.select({ id: projects.id }).from(projects).where(areUnchanged);
          return update(rows, projectId, id, change, exists(project));
        }),
    /**
     * Replaces the state and increments the version. Results in undefined when the channel does not exist or its
     * version is not `ifVersion`.
     */
    setState:
      (projectId: string, id: string, state: Json, ifVersion?: number): Write<Channel | undefined> =>
      async (rows) => {
        const isVersion = ifVersion === undefined ? undefined : eq(channels.version, ifVersion);
        const [row] = await rows.db
          .update(channels)
          .set({ state, version: sql`${channels.version} + 1` })
          .where(and(at(projectId, id), isVersion))
          .returning();
        return row && toChannel(row);
      },
    /** Deletes the channel. Its memberships, mutes and bans have no effect from then on; see `removeRemains`. */
    remove:
      (projectId: string, id: string): Write<void> =>
      async (rows) => {
        await rows.db.delete(channels).where(at(projectId, id));
      },
    /** Drops the cached row, because another node has changed it. */
    invalidate: (projectId: string, id: string): void => cache.delete(projectId, id),
    /** Drops all cached rows. */
    invalidateAll: (): void => cache.clear(),
    /** Brings the cache up to date with a change that a node announced. */
    apply(change: ChannelChange): void {
      if (change.kind === 'CHANNEL_UPDATED' || change.kind === 'CHANNEL_STATE_UPDATED') {
        // A node of an earlier version does not name the instance, so the row is read again.
        if ('instance' in change.channel) cache.write(change.channel);
        else cache.delete(change.projectId, (change.channel as Channel).id);
      }
      if (change.kind === 'CHANNEL_DELETED') cache.delete(change.projectId, change.channelId);
    },
    /**
     * Deletes up to `limit` memberships and as many mutes and bans of a deleted channel. Resolves to false when there were
     * none. Deletes none while a channel has the id: another node may have created one meanwhile.
     */
    async removeRemains(projectId: string, id: string, limit: number): Promise<boolean> {
      const isFree = notExists(db.select({ id: channels.id }).from(channels).where(at(projectId, id)));
      const ofChannel = and(eq(memberships.projectId, projectId), eq(memberships.channelId, id), isFree);
      const inChannel = and(eq(restrictions.projectId, projectId), eq(restrictions.channelId, id), isFree);
      const someTokens = db
        .select({ id: memberships.tokenId })
        .from(memberships)
        .where(ofChannel)
        .limit(limit);
      const left = await db
        .delete(memberships)
        .where(and(ofChannel, inArray(memberships.tokenId, someTokens)))
        .returning({ id: memberships.tokenId });
      const some = db.select({ id: restrictions.id }).from(restrictions).where(inChannel).limit(limit);
      const lifted = await db
        .delete(restrictions)
        .where(and(inChannel, inArray(restrictions.id, some)))
        .returning({ id: restrictions.id });
      return left.length + lifted.length > 0;
    },
    async list(projectId: string, { first, after }: PageRequest, type?: ChannelType): Promise<Page<Channel>> {
      const rows = await db
        .select()
        .from(channels)
        .where(
          and(
            eq(channels.projectId, projectId),
            type === undefined ? undefined : eq(channels.type, type),
            after === undefined ? undefined : gt(channels.id, after),
          ),
        )
        .orderBy(asc(channels.id))
        .limit(first + 1);
      return pageOf(rows.map(toChannel), first);
    },
  };
}

/** The JSON column stores the state `null` as SQL NULL. Each property is named, for the reason given at `readToken`. */
export function toChannel(row: typeof channels.$inferSelect): Channel {
  const isDamaged = row.state === DAMAGED;
  const channel: Channel = {
    projectId: row.projectId,
    id: row.id,
    type: row.type,
    kind: row.kind,
    state: row.state === DAMAGED ? null : (row.state ?? null),
    version: row.version,
    historyMessages: row.historyMessages,
    historySeconds: row.historySeconds,
    createdAfter: row.createdAfter,
    createdAt: row.createdAt,
    instance: row.instance,
  };
  return isDamaged ? { ...channel, isDamaged } : channel;
}

const SETTINGS_TEXT = sql<string>`cast(${projects.settings} as text)`;

/**
 * The stored channel kinds of a project, and the text of the settings that they are in.
 * @throws UNAVAILABLE when the settings are damaged
 */
async function readKinds(
  rows: RowWriter,
  projectId: string,
): Promise<{ kinds: readonly ChannelKind[]; text: string }> {
  const [row] = await rows.db
    .select({ ...getTableColumns(projects), text: SETTINGS_TEXT })
    .from(projects)
    .where(eq(projects.id, projectId));
  if (!row) throw notFound('project', projectId);
  const isDamaged = row.settings === DAMAGED;
  // Every mode has the same kinds by default: none.
  const settings = { ...defaultSettings(true), ...(row.settings !== DAMAGED && row.settings) };
  const { permissions } = requireSettings({ ...row, settings, ...(isDamaged && { isDamaged }) });
  return { kinds: permissions.kinds, text: row.text };
}

/** The columns of a channel as values, in the order of the table. */
function valuesOf(channel: Channel) {
  const value = <C extends Column>(column: C, content: unknown) =>
    sql<C['_']['data']>`${sql.param(content, column)}`.as(column.name);
  return {
    projectId: value(channels.projectId, channel.projectId),
    id: value(channels.id, channel.id),
    type: value(channels.type, channel.type),
    kind: value(channels.kind, channel.kind),
    state: value(channels.state, channel.state),
    version: value(channels.version, channel.version),
    historyMessages: value(channels.historyMessages, channel.historyMessages),
    historySeconds: value(channels.historySeconds, channel.historySeconds),
    createdAfter: value(channels.createdAfter, channel.createdAfter),
    createdAt: value(channels.createdAt, channel.createdAt),
    instance: value(channels.instance, channel.instance),
  };
}

/** Upper bound of the cache, in characters of JSON. A state held as objects takes about ten times as many bytes. */
const MAX_CACHED_CHARACTERS = 2 * 1024 * 1024;
/** Characters that a channel counts for in addition to its state. */
const CHARACTERS_PER_CHANNEL = 200;

/**
 * Caches channels, because every publish and every new connection reads one. The cache is consistent because every change is
 * announced to all nodes, and its publisher waits until they have applied it. The entry that was cached first is evicted
 * first.
 */
class ChannelCache {
  readonly #entries = new Map<string, { channel: Channel; characters: number }>();
  #characters = 0;
  /** Counts writes and deletions, so that a row that was read before one is not cached after it. */
  changes = 0;

  get(projectId: string, id: string): Channel | undefined {
    return this.#entries.get(keyOf(projectId, id))?.channel;
  }

  /** Caches the channel, unless the cache already holds a newer version of it. Returns `channel` itself. */
  set(channel: Channel): Channel {
    const key = keyOf(channel.projectId, channel.id);
    const cached = this.#entries.get(key)?.channel;
    // A row that was read before a change can arrive after it.
    if (cached && isSameChannel(cached, channel) && cached.version > channel.version) return channel;
    this.#remove(key);
    const characters = CHARACTERS_PER_CHANNEL + JSON.stringify(channel.state).length;
    this.#entries.set(key, { channel, characters });
    this.#characters += characters;
    for (const oldest of this.#entries.keys()) {
      if (this.#characters <= MAX_CACHED_CHARACTERS) break;
      this.#remove(oldest);
    }
    return channel;
  }

  /** Caches a channel that was just written. */
  write(channel: Channel): Channel {
    this.changes++;
    return this.set(channel);
  }

  delete(projectId: string, id: string): void {
    this.changes++;
    this.#remove(keyOf(projectId, id));
  }

  clear(): void {
    this.changes++;
    this.#entries.clear();
    this.#characters = 0;
  }

  #remove(key: string): void {
    this.#characters -= this.#entries.get(key)?.characters ?? 0;
    this.#entries.delete(key);
  }
}

const isSameChannel = (one: Channel, other: Channel) =>
  one.createdAt === other.createdAt && one.instance === other.instance;

const keyOf = (projectId: string, id: string) => `${projectId}\n${id}`;
