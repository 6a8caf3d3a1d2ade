import { cell, type Output } from './output.ts';

/** One check: resolves to a sentence, or throws an error whose message says what to do. */
export type Check = readonly [name: string, run: () => string | Promise<string>];

/** The finding of a check, as `--json` prints it. */
export interface Finding {
  check: string;
  ok: boolean;
  message: string;
}

/** How long a check waits for an answer, in milliseconds. */
export const TIMEOUT_MS = 10_000;

/** Runs one check and prints what it found. Resolves to whether all is well. */
export async function report(print: Output['print'], [check, run]: Check): Promise<boolean> {
  const finding: Finding = await Promise.resolve()
    .then(run)
    .then(
      (message) => ({ check, ok: true, message }),
      (error: unknown) => ({ check, ok: false, message: messageOf(error) }),
    );
  const { ok, message } = finding;
  await print(`${ok ? 'ok    ' : 'FAILED'}  ${cell(check)}: ${message}`, finding);
  return ok;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
