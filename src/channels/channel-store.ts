import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { type Json } from '../names.ts';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { channels, memberships } from './tables.ts';
import { restrictions } from '../tokens/tables.ts';
import { type ChannelType } from '../projects/permissions.ts';
import { type Channel } from './channel.ts';

/** The rows of channels. */
export function createChannelStore({ db, batch }: Store) {
  const at = (projectId: string, id: string) => and(eq(channels.projectId, projectId), eq(channels.id, id));
  const findOne = db
    .select()
    .from(channels)
    .where(and(eq(channels.projectId, sql.placeholder('projectId')), eq(channels.id, sql.placeholder('id'))))
    .prepare();

  const kept = new KeptChannels();

  return {
    /** Whether the project has channels of any of these kinds. */
    async hasAnyOf(projectId: string, kinds: readonly string[]): Promise<boolean> {
      const rows = await db
        .select({ id: channels.id })
        .from(channels)
        .where(and(eq(channels.projectId, projectId), inArray(channels.kind, [...kinds])))
        .limit(1);
      return rows.length > 0;
    },
    /** False when the id is taken. */
    async insert(channel: Channel): Promise<boolean> {
      const rows = await db.insert(channels).values(channel).onConflictDoNothing().returning();
      kept.forget(channel.projectId, channel.id);
      return rows.length > 0;
    },
    async find(projectId: string, id: string): Promise<Channel | undefined> {
      const known = kept.find(projectId, id);
      if (known) return known;
      const row = findOne.all({ projectId, id })[0];
      return row && kept.keep(toChannel(row));
    },
    async update(
      projectId: string,
      id: string,
      change: Partial<Pick<Channel, 'type' | 'historyMessages' | 'historySeconds'>>,
    ): Promise<Channel | undefined> {
      const [row] = await db
        .update(channels)
        .set({ id, ...change })
        .where(at(projectId, id))
        .returning();
      return row && kept.keep(toChannel(row));
    },
    /** Undefined when there is none, or it has another version than `ifVersion`. */
    async setState(
      projectId: string,
      id: string,
      state: Json,
      ifVersion?: number,
    ): Promise<Channel | undefined> {
      const [row] = await db
        .update(channels)
        .set({ state, version: sql`${channels.version} + 1` })
        .where(and(at(projectId, id), ifVersion === undefined ? undefined : eq(channels.version, ifVersion)))
        .returning();
      return row && kept.keep(toChannel(row));
    },
    /** The channel with its memberships, mutes and bans, all or none. */
    async remove(projectId: string, id: string): Promise<void> {
      await batch([
        db.delete(channels).where(at(projectId, id)),
        db
          .delete(memberships)
          .where(and(eq(memberships.projectId, projectId), eq(memberships.channelId, id))),
        db
          .delete(restrictions)
          .where(and(eq(restrictions.projectId, projectId), eq(restrictions.channelId, id))),
      ]);
      kept.forget(projectId, id);
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

export function toChannel(row: typeof channels.$inferSelect): Channel {
  return { ...row, state: row.state ?? null };
}

/** Of states, as JSON: kept as objects they take ten times that. */
const KEPT_CHARACTERS = 2 * 1024 * 1024;
/** What a channel takes besides its state. */
const CHANNEL_CHARACTERS = 200;

/**
 * Channels as they were read or written last, for every publish and every connect asks for one. Nobody else writes them:
 * the data folder has one process. A change is kept in the very turn in which it is known.
 */
class KeptChannels {
  readonly #channels = new Map<string, { channel: Channel; characters: number }>();
  #characters = 0;

  find(projectId: string, id: string): Channel | undefined {
    return this.#channels.get(keyOf(projectId, id))?.channel;
  }

  keep(channel: Channel): Channel {
    const key = keyOf(channel.projectId, channel.id);
    const known = this.#channels.get(key)?.channel;
    // What was read before a change may be told of after it.
    if (known && known.createdAt === channel.createdAt && known.version > channel.version) return channel;
    this.#forget(key);
    const characters = CHANNEL_CHARACTERS + JSON.stringify(channel.state).length;
    this.#channels.set(key, { channel, characters });
    this.#characters += characters;
    for (const oldest of this.#channels.keys()) {
      if (this.#characters <= KEPT_CHARACTERS) break;
      this.#forget(oldest);
    }
    return channel;
  }

  forget(projectId: string, id: string): void {
    this.#forget(keyOf(projectId, id));
  }

  #forget(key: string): void {
    this.#characters -= this.#channels.get(key)?.characters ?? 0;
    this.#channels.delete(key);
  }
}

const keyOf = (projectId: string, id: string) => `${projectId}\n${id}`;
