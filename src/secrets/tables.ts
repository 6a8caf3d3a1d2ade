import { sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Keys of our own: each is created at the first start and never leaves the store. */
export const secrets = sqliteTable('secrets', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});
