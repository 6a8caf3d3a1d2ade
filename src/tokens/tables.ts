import { index, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Json } from '../names.ts';
import { type Role } from '../projects/permissions.ts';
import { moment } from '../store/columns.ts';
import { type RestrictedSubject, type RestrictionKind } from './restriction.ts';
import { type RevocationScope } from './revocation.ts';
import { type CredentialRights, type Grant, type Origin } from './token.ts';

export const signingKeys = sqliteTable('signing_keys', {
  id: text('id').primaryKey(),
  algorithm: text('algorithm').notNull(),
  secret: text('secret').notNull(),
  createdAt: moment('created_at').notNull(),
  /** From here on it verifies but no longer signs. */
  retiredAt: moment('retired_at'),
  /** From here on it does not verify either. */
  expiresAt: moment('expires_at'),
});

export const tokens = sqliteTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    identity: text('identity'),
    origin: text('origin').$type<Origin>().notNull().default('MINTED'),
    /** Whoever signs its credentials: the lineage of an API key, an issuer, or `development`. */
    issuerId: text('issuer_id'),
    /** What the issuer calls it; null: its credentials are signed by us. */
    subject: text('subject'),
    role: text('role').$type<Role>().notNull(),
    customRole: text('custom_role'),
    /** What the last credential said of it, where others sign. */
    credentialRights: text('credential_rights', { mode: 'json' }).$type<CredentialRights>(),
    grants: text('grants', { mode: 'json' }).$type<Grant[]>(),
    connectionData: text('connection_data'),
    state: text('state', { mode: 'json' }).$type<Json>(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    revokedAt: moment('revoked_at'),
    /** From when on nobody can come back to it; null: for ever. */
    forgetAfter: moment('forget_after'),
  },
  (table) => [
    index('tokens_by_project').on(table.projectId, table.id),
    index('tokens_by_identity').on(table.projectId, table.identity, table.id),
    uniqueIndex('tokens_by_subject').on(table.projectId, table.issuerId, table.subject),
    index('tokens_to_forget').on(table.forgetAfter),
  ],
);

/** Credentials that were issued too long ago: of a project, an identity, or an issuer. */
export const revocations = sqliteTable(
  'revocations',
  {
    projectId: text('project_id').notNull(),
    /** PROJECT, IDENTITY or ISSUER. */
    scope: text('scope').$type<RevocationScope>().notNull(),
    /** The identity or the issuer; empty for a project. */
    subject: text('subject').notNull(),
    issuedBefore: moment('issued_before').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.scope, table.subject] })],
);

/** What takes actions away from a token or an identity: mutes and bans. */
export const restrictions = sqliteTable(
  'restrictions',
  {
    id: text('id').notNull(),
    projectId: text('project_id').notNull(),
    kind: text('kind').$type<RestrictionKind>().notNull(),
    /** `token:…` or `identity:…` */
    subject: text('subject').$type<RestrictedSubject>().notNull(),
    /** Empty: in all channels. */
    channelId: text('channel_id').notNull(),
    reason: text('reason'),
    createdAt: moment('created_at').notNull(),
    /** Null: until it is lifted. */
    until: moment('until'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.subject, table.kind, table.channelId] }),
    uniqueIndex('restrictions_by_id').on(table.projectId, table.id),
    index('restrictions_by_channel').on(table.projectId, table.channelId, table.id),
    index('restrictions_by_until').on(table.until),
  ],
);
