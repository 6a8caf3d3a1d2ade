import { auditMessage, type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError, type ErrorCode } from '../errors.ts';
import { type RefusalReason } from '../refusal-reason.ts';
import { type OutcomeError } from '../outcome-error.ts';
import { RateLimit } from '../rate-limit.ts';
import { actorOf, type Caller } from '../tokens/caller.ts';

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

/** An error that a caller is shown. */
export interface Refusal {
  code: ErrorCode;
  /** Undefined if the caller is not authenticated yet. */
  caller: Caller | undefined;
  /** The network address of the caller. Undefined for errors of an execution that several callers share. */
  address: string | undefined;
  /** See `ErrorDetails`. */
  issuer: string | undefined;
  /** See `ErrorDetails`. */
  reason: RefusalReason | undefined;
  /** See `ErrorDetails`. */
  channel: string | undefined;
  /** The sentence that the caller is shown. */
  message: string;
  /** The GraphQL field that failed. Undefined if the error does not belong to a field. */
  field: string | undefined;
}

/** The errors that callers are shown: all are counted, and those of missing authority are written to the audit log. */
export interface Refusals extends Disposable {
  report(refusal: Refusal): void;
  /**
   * Reports the errors in the outcomes of a bulk call. Of each code, the audit log has the first only, so that one call cannot
   * fill it.
   */
  reportOutcomes(
    call: Pick<Refusal, 'caller' | 'address' | 'field'>,
    outcomes: readonly { readonly error: OutcomeError | null }[],
  ): void;
}

/**
 * A stranger can cause thousands of refusals in a second, so their lines in the audit log are limited per network address and in
 * total. The refusals above the limits are counted, and a summary states their number. Disposing writes the last one.
 */
export function createRefusals({
  audit,
  config,
  clock,
  onRefused,
}: {
  audit: Audit;
  config: Pick<Config, 'auditedRefusalsPerSecond' | 'auditedRefusalsPerSecondPerAddress'>;
  clock: Clock;
  /** Counts a refusal. */
  onRefused: (code: ErrorCode, projectId: string | undefined) => void;
}): Refusals {
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

  const count = ({ code, caller }: Pick<Refusal, 'code' | 'caller'>) => onRefused(code, caller?.projectId);
  return {
    report(refusal) {
      count(refusal);
      write(refusal);
    },
    reportOutcomes(call, outcomes) {
      const audited = new Set<ErrorCode>();
      for (const { error } of outcomes) {
        if (!error) continue;
        const refusal = { ...call, ...error };
        count(refusal);
        if (!audited.has(error.code)) write(refusal);
        audited.add(error.code);
      }
    },
    [Symbol.dispose]() {
      summary?.[Symbol.dispose]();
      if (summary) writeSummary();
    },
  };
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
