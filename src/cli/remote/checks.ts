import { printable, cell, toJson } from './output.ts';
import { type Session } from './command.ts';

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
export async function report({ terminal, json }: Session, [check, run]: Check): Promise<boolean> {
  const finding: Finding = await Promise.resolve()
    .then(run)
    .then(
      (message) => ({ check, ok: true, message }),
      (error: unknown) => ({ check, ok: false, message: messageOf(error) }),
    );
  const { ok, message } = finding;
  await terminal.write(
    json ? toJson(finding) : `${ok ? 'ok    ' : 'FAILED'}  ${cell(check)}: ${printable(message)}`,
  );
  return ok;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
