import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { json, timestamp } from '../../store/columns.ts';
import { type IssuerKind, type Provider } from './issuer.ts';

/** Rows from before a provider could have several audiences have one `audience` and no name of its claim. */
export type StoredProvider = Omit<Provider, 'audiences' | 'claims'> & {
  audience?: string;
  audiences?: Provider['audiences'];
  claims: Omit<Provider['claims'], 'audience'> & { audience?: string };
};

/** External signers whose credentials a project accepts. API keys that sign are in the table of API keys. */
export const issuers = sqliteTable(
  'issuers',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    kind: text('kind').$type<IssuerKind>().notNull(),
    name: text('name').notNull(),
    account: text('account'),
    service: text('service'),
    provider: json<StoredProvider>('provider'),
    createdAt: timestamp('created_at').notNull(),
  },
  (table) => [index('issuers_by_project').on(table.projectId, table.id)],
);

/** Shared secrets of issuers, sealed under the master key. */
export const issuerKeys = sqliteTable(
  'issuer_keys',
  {
    projectId: text('project_id').notNull(),
    issuerId: text('issuer_id').notNull(),
    /** The id that credentials of the issuer name the key by; unique within the issuer. */
    id: text('id').notNull(),
    sealedSecret: text('sealed_secret').notNull(),
    createdAt: timestamp('created_at').notNull(),
    expiresAt: timestamp('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.issuerId, table.id] })],
);
