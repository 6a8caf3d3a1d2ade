import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { moment } from '../../store/columns.ts';
import { type IssuerKind, type Provider } from './issuer.ts';

/** Whoever signs credentials besides us. */
export const issuers = sqliteTable(
  'issuers',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    kind: text('kind').$type<IssuerKind>().notNull(),
    name: text('name').notNull(),
    account: text('account'),
    service: text('service'),
    provider: text('provider', { mode: 'json' }).$type<Provider>(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [index('issuers_by_project').on(table.projectId, table.id)],
);

/** What issuers sign with, under the master key. */
export const issuerKeys = sqliteTable(
  'issuer_keys',
  {
    projectId: text('project_id').notNull(),
    issuerId: text('issuer_id').notNull(),
    /** As the issuer calls it. */
    id: text('id').notNull(),
    sealedSecret: text('sealed_secret').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.issuerId, table.id] })],
);
