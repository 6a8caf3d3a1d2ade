import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Address, type Message, type Sender } from '../../broker/message.ts';
import { type Json } from '../../names.ts';
import { json, timestamp } from '../../store/columns.ts';

/** One log per project; `head` is the last assigned sequence number. */
export const logs = sqliteTable('logs', {
  projectId: text('project_id').primaryKey(),
  head: integer('head').notNull(),
});

/**
 * The epochs of a log. A process begins a new epoch with the first message that it appends, so two histories that a
 * restored copy splits never share an epoch. The positions of an epoch are those after `beganAfter`, up to and including
 * the next epoch's `beganAfter`.
 */
export const logEpochs = sqliteTable(
  'log_epochs',
  {
    projectId: text('project_id').notNull(),
    /** The head of the log when the epoch began; -1 for the first epoch, which holds position 0. */
    beganAfter: integer('began_after').notNull(),
    epoch: integer('epoch').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.beganAfter] })],
);

export const messages = sqliteTable(
  'messages',
  {
    projectId: text('project_id').notNull(),
    sequence: integer('sequence').notNull(),
    address: text('address').$type<Address>().notNull(),
    /** The sequence number of the previous message at the same address; 0 for the first message. */
    previous: integer('previous').notNull(),
    id: text('id').notNull(),
    event: text('event').notNull(),
    data: json<Json>('data'),
    sender: json<Sender>('sender').notNull(),
    publishedAt: timestamp('published_at').notNull(),
    /** Counts the messages of the address from 1. */
    ordinal: integer('ordinal').notNull().default(0),
    /** The idempotency key as the publisher chose it. */
    idempotencyKey: text('idempotency_key'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.sequence] }),
    uniqueIndex('messages_by_address').on(table.projectId, table.address, table.sequence),
  ],
);

/** Per address: the last sequence number and ordinal, and the sequence number through which it was trimmed. Rows outlive the messages. */
export const addresses = sqliteTable(
  'addresses',
  {
    projectId: text('project_id').notNull(),
    address: text('address').$type<Address>().notNull(),
    last: integer('last').notNull(),
    trimmedThrough: integer('trimmed_through').notNull(),
    lastOrdinal: integer('last_ordinal').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.address] })],
);

/** The fields of the first message that are stored with an idempotency key. Content is excluded: retention governs it. */
export type FirstMessage = Pick<Message, 'id' | 'logged' | 'sender' | 'publishedAt'>;

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    projectId: text('project_id').notNull(),
    /** Prefixed with the caller, so that equal keys of different callers do not collide. */
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    message: json<FirstMessage>('message').notNull(),
    expiresAt: timestamp('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.key] }),
    index('idempotency_keys_by_expiry').on(table.expiresAt),
  ],
);
