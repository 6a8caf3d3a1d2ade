import { AUDIT_ACTIONS } from '../../../src/audit.ts';
import { REFUSAL_REASONS } from '../../../src/refusal-reason.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

const rowsOf = (meanings: Readonly<Record<string, string>>) =>
  Object.entries(meanings).map(([name, meaning]) => [`\`${name}\``, meaning]);

export function printAuditLog(): string {
  return documentOf(
    PRINTED,
    '# Audit log',
    'The values of `action` and `reason` in the lines of the [audit log](../operating.md#logs). `Activity.action` has the same actions.',
    '## Actions',
    table(['action', 'meaning'], rowsOf(AUDIT_ACTIONS)),
    '## Reasons of refusals',
    table(['reason', 'meaning'], rowsOf(REFUSAL_REASONS)),
  );
}
