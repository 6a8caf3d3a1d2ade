import { pino, type Logger } from 'pino';
import { type AuditEntry } from '../../src/audit.ts';

/** A logger that records every line. */
export interface Log {
  readonly logger: Logger;
  readonly lines: readonly string[];
  /** The audit entries among the recorded lines. */
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
