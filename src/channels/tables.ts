import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Json } from '../names.ts';
import { type ChannelType } from '../projects/permissions.ts';
import { moment } from '../store/columns.ts';

export const channels = sqliteTable(
  'channels',
  {
    projectId: text('project_id').notNull(),
    id: text('id').notNull(),
    type: text('type').$type<ChannelType>().notNull(),
    /** A kind of the project's own; null: just its type. */
    kind: text('kind'),
    state: text('state', { mode: 'json' }).$type<Json>(),
    version: integer('version').notNull(),
    historyMessages: integer('history_messages'),
    historySeconds: integer('history_seconds'),
    /** The head of the log when it was created: what an earlier channel of the same id said stays behind. */
    createdAfter: integer('created_after').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
);

export const memberships = sqliteTable(
  'memberships',
  {
    projectId: text('project_id').notNull(),
    channelId: text('channel_id').notNull(),
    tokenId: text('token_id').notNull(),
    /** The head of the log when it began: what came before is never replayed to it. */
    beganAfter: integer('began_after').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.channelId, table.tokenId] }),
    index('memberships_by_token').on(table.projectId, table.tokenId, table.channelId),
  ],
);
