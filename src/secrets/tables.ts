import { sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Internal secrets of the installation. Each is generated at the first start and never leaves the store. */
export const secrets = sqliteTable('secrets', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});
