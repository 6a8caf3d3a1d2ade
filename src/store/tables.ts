import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Json } from '../names.ts';

/** A moment: milliseconds since 1970. */
const moment = (name: string) => integer(name);

export const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: moment('created_at').notNull(),
  /** What differs from the defaults. */
  settings: text('settings', { mode: 'json' }).$type<Json>().notNull().default({}),
});

/** Keys of our own: each is created at the first start and never leaves the store. */
export const secrets = sqliteTable('secrets', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
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
    lineage: text('lineage').notNull().default(''),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('api_keys_by_project').on(table.projectId, table.id)],
);

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
    origin: text('origin').notNull().default('MINTED'),
    /** Whoever signs its credentials: the lineage of an API key, an issuer, or `development`. */
    issuerId: text('issuer_id'),
    /** What the issuer calls it; null: its credentials are signed by us. */
    subject: text('subject'),
    role: text('role').notNull(),
    customRole: text('custom_role'),
    /** What the last credential said of it, where others sign. */
    claims: text('claims', { mode: 'json' }).$type<Json>(),
    grants: text('grants', { mode: 'json' }).$type<Json>(),
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

/** Whoever signs credentials besides us. */
export const issuers = sqliteTable(
  'issuers',
  {
    id: text('id').primaryKey(),
    projectId: text('project_id').notNull(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    account: text('account'),
    service: text('service'),
    provider: text('provider', { mode: 'json' }).$type<Json>(),
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

/** Credentials that were issued too long ago: of a project, an identity, or an issuer. */
export const revocations = sqliteTable(
  'revocations',
  {
    projectId: text('project_id').notNull(),
    /** PROJECT, IDENTITY or ISSUER. */
    scope: text('scope').notNull(),
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
    kind: text('kind').notNull(),
    /** `token:…` or `identity:…` */
    subject: text('subject').notNull(),
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

export const channels = sqliteTable(
  'channels',
  {
    projectId: text('project_id').notNull(),
    id: text('id').notNull(),
    type: text('type').notNull(),
    /** A kind of the project's own; null: just its type. */
    kind: text('kind'),
    state: text('state', { mode: 'json' }).$type<Json>(),
    version: integer('version').notNull(),
    historyMessages: integer('history_messages'),
    historySeconds: integer('history_seconds'),
    /** The head of the log when it was created: what an earlier channel of the same id said stays behind. */
    createdAfter: integer('created_after').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
);

export const memberships = sqliteTable(
  'memberships',
  {
    projectId: text('project_id').notNull(),
    channelId: text('channel_id').notNull(),
    tokenId: text('token_id').notNull(),
    /** The head of the log when it began: what came before is never replayed to it. */
    beganAfter: integer('began_after').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.channelId, table.tokenId] }),
    index('memberships_by_token').on(table.projectId, table.tokenId, table.channelId),
  ],
);

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
    address: text('address').notNull(),
    /** The sequence before this one at the same address; 0 for its first. */
    previous: integer('previous').notNull(),
    id: text('id').notNull(),
    event: text('event').notNull(),
    data: text('data', { mode: 'json' }).$type<Json>(),
    sender: text('sender', { mode: 'json' }).$type<Json>().notNull(),
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
    address: text('address').notNull(),
    last: integer('last').notNull(),
    trimmedThrough: integer('trimmed_through').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.address] })],
);

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    projectId: text('project_id').notNull(),
    /** The caller's own space and its key, so that two callers never meet. */
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    message: text('message', { mode: 'json' }).$type<Json>().notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.key] }),
    index('idempotency_keys_by_expiry').on(table.expiresAt),
  ],
);
