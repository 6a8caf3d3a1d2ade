import { auditMessage, type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError, type ErrorCode, type RefusalReason } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';
import { actorOf, type Caller } from '../tokens/caller.ts';
import { type Refusal } from './public-errors.ts';

/** Codes of missing authority. Other refusals are mistakes of the client, which the metrics count. */
const AUDITED_CODES: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'FORBIDDEN',
]);

/** How long after the first omitted refusal the omitted ones are summed up, in milliseconds. */
const SUMMARY_DELAY_MS = 10_000;
/** The addresses that are counted apart, and those that a summary names. */
const MAX_COUNTED_ADDRESSES = 1000;
const MAX_NAMED_ADDRESSES = 10;

/** Writes refusals for missing authority to the audit log. Disposing writes the summary of those that were omitted. */
export interface RefusalAudit extends Disposable {
  (refusal: Refusal): void;
}

/**
 * A stranger can cause thousands of refusals in a second, so their lines are limited per network address and in total. The
 * refusals above the limits are counted, and a summary states their number.
 */
export function createRefusalAudit(
  audit: Audit,
  config: Pick<Config, 'auditedRefusalsPerSecond' | 'auditedRefusalsPerSecondPerAddress'>,
  clock: Clock,
): RefusalAudit {
  const perAddress = new RateLimit(clock, config.auditedRefusalsPerSecondPerAddress, 'refusals');
  const inTotal = new RateLimit(clock, config.auditedRefusalsPerSecond, 'refusals');
  let omitted = new Map<string, number>();
  let summary: Disposable | undefined;

  function isWritten(address: string): boolean {
    try {
      perAddress.take(address);
      inTotal.take('');
      return true;
    } catch (error) {
      if (error instanceof SignalboxError) return false;
      throw error;
    }
  }

  function omit(address: string): void {
    const key = omitted.has(address) || omitted.size < MAX_COUNTED_ADDRESSES ? address : OTHERS;
    omitted.set(key, (omitted.get(key) ?? 0) + 1);
    summary ??= clock.after(SUMMARY_DELAY_MS, writeSummary);
  }

  function writeSummary(): void {
    summary = undefined;
    const entries = [...omitted].sort(([, a], [, b]) => b - a);
    omitted = new Map();
    const named = entries.filter(([address]) => address !== OTHERS).slice(0, MAX_NAMED_ADDRESSES);
    let others = entries.reduce((sum, [, count]) => sum + count, 0);
    for (const [address, count] of named) {
      audit({ action: 'refused.omitted', actor: 'anonymous', address, count });
      others -= count;
    }
    if (others > 0) audit({ action: 'refused.omitted', actor: 'anonymous', count: others });
  }

  const write = ({ code, caller, message, field, address, issuer, reason, channel }: Refusal): void => {
    if (!AUDITED_CODES.has(code)) return;
    if (!isWritten(address ?? OTHERS)) return omit(address ?? OTHERS);
    const signer = issuer ?? issuerOf(caller);
    audit({
      action: 'refused',
      actor: caller ? actorOf(caller) : 'anonymous',
      code,
      reason: reason ?? defaultReason(code, caller),
      ...(address !== undefined && { address }),
      ...(signer !== undefined && { issuer: signer }),
      message: auditMessage(message),
      ...(caller && { projectId: caller.projectId }),
      ...(caller?.kind === 'TOKEN' && caller.token.identity !== null && { identity: caller.token.identity }),
      ...(channel !== undefined && { channel }),
      ...(field !== undefined && { field }),
    });
  };
  return Object.assign(write, {
    [Symbol.dispose]: () => {
      summary?.[Symbol.dispose]();
      if (summary) writeSummary();
    },
  });
}

/** Counts the refusals of addresses that are not counted apart, and those whose address is not known. */
const OTHERS = '';

/** Who issued the token of a caller: an issuer, an API key, or the service itself, for guests. */
function issuerOf(caller: Caller | undefined): string | undefined {
  return caller?.kind === 'TOKEN' ? (caller.credential.issuerId ?? 'signalbox') : undefined;
}

function defaultReason(code: ErrorCode, caller: Caller | undefined): RefusalReason {
  switch (code) {
    case 'TOKEN_EXPIRED':
      return 'EXPIRED';
    case 'TOKEN_REVOKED':
      return 'REVOKED';
    case 'FORBIDDEN':
      return 'NOT_ALLOWED';
    default:
      return caller?.kind === 'ANONYMOUS' ? 'NO_CREDENTIAL' : 'CREDENTIAL';
  }
}
