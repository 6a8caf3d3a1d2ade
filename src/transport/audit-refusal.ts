import { type Audit } from '../audit.ts';
import { type ErrorCode } from '../errors.ts';
import { actorOf } from '../tokens/caller.ts';
import { type Refusal } from './public-errors.ts';

/** Codes of missing authority. Other refusals are mistakes of the client, which the metrics count. */
const AUDITED_CODES: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'FORBIDDEN',
]);

/** Writes a refusal for missing authority to the audit log. */
export function auditRefusal(audit: Audit, { code, caller, message, field }: Refusal): void {
  if (!AUDITED_CODES.has(code)) return;
  audit({
    action: 'refused',
    actor: caller ? actorOf(caller) : 'anonymous',
    code,
    // Refusals of an authenticated caller are explained by its actor and field.
    ...(!caller && { message }),
    ...(caller && { projectId: caller.projectId }),
    ...(field !== undefined && { field }),
  });
}
