import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Json } from '../names.ts';
import { type MembershipOrigin } from './channel.ts';
import { type ChannelType } from '../projects/permissions.ts';
import { json, timestamp } from '../store/columns.ts';

export const channels = sqliteTable(
  'channels',
  {
    projectId: text('project_id').notNull(),
    id: text('id').notNull(),
    type: text('type').$type<ChannelType>().notNull(),
    /** A channel kind that the project defines; null: the channel has a type only. */
    kind: text('kind'),
    state: json<Json>('state'),
    version: integer('version').notNull(),
    historyMessages: integer('history_messages'),
    historySeconds: integer('history_seconds'),
    /** The head of the log when the channel was created; earlier messages belong to a deleted channel of the same id. */
    createdAfter: integer('created_after').notNull(),
    createdAt: timestamp('created_at').notNull(),
    /** Distinguishes the channel from others that had, or will have, its id. Null: an earlier version created it. */
    instance: text('instance'),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
);

export const memberships = sqliteTable(
  'memberships',
  {
    projectId: text('project_id').notNull(),
    channelId: text('channel_id').notNull(),
    tokenId: text('token_id').notNull(),
    /** The head of the log when the membership began; earlier messages are never replayed to the token. */
    beganAfter: integer('began_after').notNull(),
    madeBy: text('made_by').$type<MembershipOrigin>().notNull().default('BACKEND'),
    createdAt: timestamp('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.channelId, table.tokenId] }),
    index('memberships_by_token').on(table.projectId, table.tokenId, table.channelId),
    index('self_made_memberships')
      .on(table.projectId, table.channelId, table.tokenId)
      .where(sql`${table.madeBy} = 'TOKEN'`),
  ],
);

/**
 * The memberships that a backend ended, so that a credential issued earlier does not begin them again. A row of the
 * channel `*` stands for every channel; see `createRemovalStore`.
 */
export const membershipRemovals = sqliteTable(
  'membership_removals',
  {
    projectId: text('project_id').notNull(),
    tokenId: text('token_id').notNull(),
    channelId: text('channel_id').notNull(),
    removedAt: timestamp('removed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.tokenId, table.channelId] })],
);
