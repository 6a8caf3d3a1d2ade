import { and, eq, sql } from 'drizzle-orm';
import { channelOf, type Draft } from '../../broker/message.ts';
import { channels } from '../../channels/tables.ts';
import { type SqliteStore } from '../../store/store.ts';

/** Compares the channels of drafts with those that exist. */
export function createChannelInstanceStore({ sync: db }: SqliteStore) {
  const find = db
    .select({
      createdAfter: channels.createdAfter,
      createdAt: channels.createdAt,
      instance: channels.instance,
    })
    .from(channels)
    .where(and(eq(channels.projectId, sql.placeholder('projectId')), eq(channels.id, sql.placeholder('id'))))
    .prepare();

  return {
    /**
     * Whether the channel for which the publisher of a draft was authorized is gone, even if another one has its id. Use the
     * returned function within one transaction: it reads each channel once.
     */
    createIsDeleted(): (draft: Draft) => boolean {
      const foundChannels = new Map<string, ReturnType<typeof find.get>>();
      return ({ projectId, address, channel }) => {
        if (!channel) return false;
        const key = `${projectId}\n${address}`;
        if (!foundChannels.has(key))
          foundChannels.set(key, find.get({ projectId, id: channelOf(address) ?? '' }));
        const found = foundChannels.get(key);
        return (
          found?.createdAfter !== channel.createdAfter ||
          found.createdAt !== channel.createdAt ||
          found.instance !== channel.instance
        );
      };
    },
  };
}
