import { CommanderError } from 'commander';
import { createProgram, type Terminal } from '../../src/cli/program.ts';
import { addRemoteCommands } from '../../src/cli/remote/remote-commands.ts';
import { machineChecks } from '../../src/maintenance/machine-checks.ts';
import { createFolder } from '../../src/create-folder.ts';
import { exitCodeOf } from '../../src/cli/remote/errors.ts';
import { API_KEY, type ServiceClient } from './service.ts';

/** The result of a command that ran in this process. */
export interface ProgramResult {
  code: number;
  /** Lines on standard output. */
  lines: string[];
  /** Lines on standard error. */
  notes: string[];
}

interface ProgramOptions {
  env?: Record<string, string>;
  input?: string;
}

/** Runs `signalbox <args>` in this process, against a service, as the process runs it. */
export async function runProgram(
  { url }: Pick<ServiceClient, 'url'>,
  args: readonly string[],
  { env = {}, input = '' }: ProgramOptions = {},
): Promise<ProgramResult> {
  const result: ProgramResult = { code: 0, lines: [], notes: [] };
  const terminal: Terminal = {
    env: { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: API_KEY, ...env },
    version: '0.0.0',
    print: (...lines) => result.notes.push(...lines),
    write(line) {
      result.lines.push(line);
      return Promise.resolve();
    },
    async *readInput() {
      // Two chunks, so that a line is read in parts.
      const bytes = Buffer.from(input);
      yield await Promise.resolve(bytes.subarray(0, bytes.length / 2));
      yield bytes.subarray(bytes.length / 2);
    },
    showProgress: undefined,
    onInterrupt: () => undefined,
    now: Date.now,
    async *checkMachine() {
      yield* machineChecks(env);
    },
    start: () => Promise.reject(new Error('The service is not started in this test.')),
    createFolder,
    setExitCode: (code) => (result.code = code),
  };
  const program = createProgram(terminal).configureOutput({
    writeErr: (text) => result.notes.push(text),
    writeOut: (text) => result.lines.push(text),
  });
  addRemoteCommands(program, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { ...result, code: error.exitCode === 0 ? 0 : 2 };
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    result.notes.push((error as Error).message);
    return { ...result, code };
  }
  return result;
}

/** Runs commands that are written as one line, without quotes of a shell. `service`: the one that they call. */
export function createLineRunner(service: () => Pick<ServiceClient, 'url'>) {
  const run = (line: string, options?: ProgramOptions) => runProgram(service(), line.split(' '), options);
  /** The JSON values that a command prints with `--json`. */
  const json = async (line: string, options?: ProgramOptions): Promise<any[]> =>
    (await run(`${line} --json`, options)).lines.map((text) => JSON.parse(text));
  const one = async (line: string) => (await json(line))[0];
  return { run, json, one };
}
