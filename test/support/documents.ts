import { printAuditLog } from './reference/audit-log.ts';
import { printCloseCodes } from './reference/close-codes.ts';
import { printCommandLine } from './reference/command-line.ts';
import { printErrors } from './reference/errors.ts';
import { printMetrics } from './reference/metrics.ts';
import { printSchemaFile, printSchemaReference } from './reference/schema.ts';
import { printEnvExample, printSettings } from './reference/settings.ts';

/** Files that are printed from the source, by path; `npm run schema` writes them, and a test fails when one has drifted. */
export const DOCUMENTS = {
  'schema.graphql': printSchemaFile,
  '.env.example': printEnvExample,
  'docs/reference/settings.md': printSettings,
  'docs/reference/errors.md': printErrors,
  'docs/reference/audit-log.md': printAuditLog,
  'docs/reference/close-codes.md': printCloseCodes,
  'docs/reference/metrics.md': printMetrics,
  'docs/reference/schema.md': printSchemaReference,
  'docs/reference/command-line.md': printCommandLine,
} as const;

export { read, write } from './repository-files.ts';
