import { pino, type Logger } from 'pino';
import { type AuditEntry } from '../../src/audit.ts';

/** A logger that writes down everything, and what it wrote. */
export interface Log {
  readonly logger: Logger;
  readonly lines: readonly string[];
  /** What of it is audit. */
  audited(): AuditEntry[];
}

export function createLog(): Log {
  const lines: string[] = [];
  return {
    logger: pino({ level: 'trace' }, { write: (line) => lines.push(line) }),
    lines,
    audited: () => lines.flatMap((line) => (JSON.parse(line) as { audit?: AuditEntry }).audit ?? []),
  };
}
