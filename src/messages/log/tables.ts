import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Address, type Message, type Sender } from '../../broker/message.ts';
import { type Json } from '../../names.ts';
import { moment } from '../../store/columns.ts';

/** One log per project: `epoch` names its life, `head` is the last sequence number ever given. */
export const logs = sqliteTable('logs', {
  projectId: text('project_id').primaryKey(),
  epoch: integer('epoch').notNull(),
  head: integer('head').notNull(),
});

export const messages = sqliteTable(
  'messages',
  {
    projectId: text('project_id').notNull(),
    sequence: integer('sequence').notNull(),
    address: text('address').$type<Address>().notNull(),
    /** The sequence before this one at the same address; 0 for its first. */
    previous: integer('previous').notNull(),
    id: text('id').notNull(),
    event: text('event').notNull(),
    data: text('data', { mode: 'json' }).$type<Json>(),
    sender: text('sender', { mode: 'json' }).$type<Sender>().notNull(),
    publishedAt: moment('published_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.sequence] }),
    uniqueIndex('messages_by_address').on(table.projectId, table.address, table.sequence),
  ],
);

/** Per address: its last sequence, and the sequence through which it was trimmed. Outlives the messages themselves. */
export const addresses = sqliteTable(
  'addresses',
  {
    projectId: text('project_id').notNull(),
    address: text('address').$type<Address>().notNull(),
    last: integer('last').notNull(),
    trimmedThrough: integer('trimmed_through').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.address] })],
);

/** What an idempotency key remembers of its first message: never the content, which the log keeps or not. */
export type FirstMessage = Pick<Message, 'id' | 'logged' | 'sender' | 'publishedAt'>;

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    projectId: text('project_id').notNull(),
    /** The caller's own space and its key, so that two callers never meet. */
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    message: text('message', { mode: 'json' }).$type<FirstMessage>().notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.key] }),
    index('idempotency_keys_by_expiry').on(table.expiresAt),
  ],
);
