import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { moment } from '../store/columns.ts';
import { type ProjectSettings } from './project-settings.ts';

export const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: moment('created_at').notNull(),
  /** What differs from the defaults. */
  settings: text('settings', { mode: 'json' }).$type<Partial<ProjectSettings>>().notNull().default({}),
});

export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    name: text('name').notNull(),
    operator: integer('operator', { mode: 'boolean' }).notNull(),
    secretHash: text('secret_hash').notNull(),
    /** The secret under the master key, of keys that sign credentials. */
    sealedSecret: text('sealed_secret'),
    /** The first key of a row of rotations: what one of them signed stays known after the next. */
    rootKeyId: text('root_key_id').notNull().default(''),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('api_keys_by_project').on(table.projectId, table.id)],
);
