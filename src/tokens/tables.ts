import { index, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Json } from '../names.ts';
import { type Role } from '../projects/permissions.ts';
import { json, timestamp } from '../store/columns.ts';
import { type RestrictedSubject, type RestrictionKind } from './restriction.ts';
import { type RevocationScope } from './revocation.ts';
import { type CredentialRights, type Grant, type Origin } from './token.ts';

export const signingKeys = sqliteTable('signing_keys', {
  id: text('id').primaryKey(),
  algorithm: text('algorithm').notNull(),
  secret: text('secret').notNull(),
  createdAt: timestamp('created_at').notNull(),
  /** When the key stopped signing. */
  retiredAt: timestamp('retired_at'),
  /** When the key stops verifying. */
  expiresAt: timestamp('expires_at'),
});

export const tokens = sqliteTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    identity: text('identity'),
    origin: text('origin').$type<Origin>().notNull().default('MINTED'),
    /** The root of an API key's rotations, an issuer, or `development`: see `Token.issuerId`. */
    issuerId: text('issuer_id'),
    /** The issuer's name for the token; null: Signalbox signs the credentials. */
    subject: text('subject'),
    role: text('role').$type<Role>().notNull(),
    customRole: text('custom_role'),
    /** The rights of the newest credential of another issuer. */
    credentialRights: json<CredentialRights>('credential_rights'),
    grants: json<Grant[]>('grants'),
    connectionData: text('connection_data'),
    state: json<Json>('state'),
    createdAt: timestamp('created_at').notNull(),
    expiresAt: timestamp('expires_at'),
    revokedAt: timestamp('revoked_at'),
    /** When the row may be deleted; null: never. */
    purgeAfter: timestamp('purge_after'),
  },
  (table) => [
    index('tokens_by_project').on(table.projectId, table.id),
    index('tokens_by_identity').on(table.projectId, table.identity, table.id),
    uniqueIndex('tokens_by_subject').on(table.projectId, table.issuerId, table.subject),
    index('tokens_to_purge').on(table.purgeAfter),
  ],
);

/** Bulk revocations of the credentials of a project, an identity or an issuer. */
export const revocations = sqliteTable(
  'revocations',
  {
    projectId: text('project_id').notNull(),
    scope: text('scope').$type<RevocationScope>().notNull(),
    /** The identity or the issuer; empty for the scope PROJECT. */
    subject: text('subject').notNull(),
    issuedBefore: timestamp('issued_before').notNull(),
    createdAt: timestamp('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.scope, table.subject] })],
);

/** Mutes and bans of tokens and identities. */
export const restrictions = sqliteTable(
  'restrictions',
  {
    id: text('id').notNull(),
    projectId: text('project_id').notNull(),
    kind: text('kind').$type<RestrictionKind>().notNull(),
    subject: text('subject').$type<RestrictedSubject>().notNull(),
    /** Empty: all channels. */
    channelId: text('channel_id').notNull(),
    reason: text('reason'),
    createdAt: timestamp('created_at').notNull(),
    /** Null: until the restriction is lifted. */
    until: timestamp('until'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.subject, table.kind, table.channelId] }),
    uniqueIndex('restrictions_by_id').on(table.projectId, table.id),
    index('restrictions_by_channel').on(table.projectId, table.channelId, table.id),
    index('restrictions_by_until').on(table.until),
  ],
);
