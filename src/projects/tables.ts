import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { json, timestamp } from '../store/columns.ts';
import { type ApiKeyScope } from './api-key.ts';
import { type ProjectSettings } from './project-settings.ts';

export const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: timestamp('created_at').notNull(),
  /** Only the values that differ from the defaults. */
  settings: json<Partial<ProjectSettings>>('settings').notNull().default({}),
});

export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    name: text('name').notNull(),
    operator: integer('operator', { mode: 'boolean' }).notNull(),
    secretHash: text('secret_hash').notNull(),
    /** The secret sealed under the master key, for keys that can sign credentials; null for others. */
    sealedSecret: text('sealed_secret'),
    /** The first key of a chain of rotations. Empty for keys created before rotation existed; each is its own root. */
    rootKeyId: text('root_key_id').notNull().default(''),
    createdAt: timestamp('created_at').notNull(),
    expiresAt: timestamp('expires_at'),
    revokedAt: timestamp('revoked_at'),
    /** Null: all scopes. */
    scopes: json<readonly ApiKeyScope[]>('scopes'),
    /** A channel pattern; null: no limit. */
    channels: text('channels'),
    /** The expiry that was set at the creation; null: none. */
    lastsUntil: timestamp('lasts_until'),
  },
  (table) => [index('api_keys_by_project').on(table.projectId, table.id)],
);
