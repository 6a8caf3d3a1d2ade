/** The tables of PostgreSQL, for drizzle-kit: see `npm run migrations`. A test compares them with those of SQLite. */
import * as channel from '../src/channels/tables.ts';
import * as log from '../src/messages/log/tables.ts';
import * as project from '../src/projects/tables.ts';
import * as secret from '../src/secrets/tables.ts';

import * as issuer from '../src/tokens/issuers/tables.ts';
import * as token from '../src/tokens/tables.ts';
import { toPostgresTable } from './to-postgres-table.ts';

export const channels = toPostgresTable(channel.channels);
export const memberships = toPostgresTable(channel.memberships);
export const membershipRemovals = toPostgresTable(channel.membershipRemovals);
export const logs = toPostgresTable(log.logs);
export const logEpochs = toPostgresTable(log.logEpochs);
export const messages = toPostgresTable(log.messages);
export const addresses = toPostgresTable(log.addresses);
export const idempotencyKeys = toPostgresTable(log.idempotencyKeys);
export const projects = toPostgresTable(project.projects);
export const apiKeys = toPostgresTable(project.apiKeys);
export const secrets = toPostgresTable(secret.secrets);
export const issuers = toPostgresTable(issuer.issuers);
export const issuerKeys = toPostgresTable(issuer.issuerKeys);
export const signingKeys = toPostgresTable(token.signingKeys);
export const tokens = toPostgresTable(token.tokens);
export const revocations = toPostgresTable(token.revocations);
export const restrictions = toPostgresTable(token.restrictions);
