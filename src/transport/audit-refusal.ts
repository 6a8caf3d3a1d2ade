import { type Audit } from '../audit.ts';
import { type ErrorCode } from '../errors.ts';
import { actorOf } from '../tokens/caller.ts';
import { type Refusal } from './public-errors.ts';

/** Codes that tell of someone who wanted what is not theirs. The others tell of mistakes, which metrics count. */
const AUDITED: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'FORBIDDEN',
]);

/** Leaves a line in the audit log where it was authority that was missing. */
export function auditRefusal(audit: Audit, { code, caller, field }: Refusal): void {
  if (!AUDITED.has(code)) return;
  audit({
    action: 'refused',
    actor: caller ? actorOf(caller) : 'anonymous',
    code,
    ...(caller && { projectId: caller.projectId }),
    ...(field !== undefined && { field }),
  });
}
