import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface CommandResult {
  code: number | null;
  /** Standard output and standard error, in the order in which they arrived. */
  output: string;
  /** Standard output alone: the result of the command. */
  stdout: string;
}

const environment = (env: Record<string, string>) => ({
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'test',
  ...env,
});

/** Runs `signalbox <args>` as a process of its own and resolves when it has exited. */
export async function runCommand(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(env) });
  child.stdin.on('error', () => undefined).end(input);
  let output = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, stdout };
}

export interface RunningCommand extends AsyncDisposable {
  /** Resolves once standard output and standard error together match. */
  until(pattern: RegExp): Promise<void>;
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
  /** Stops reading standard output, or reads on. What is on the way fills the pipe. */
  pauseReading(): void;
  resumeReading(): void;
  /** Closes standard output, as a reader does that has gone. */
  closeOutput(): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to the exit code, also while standard output is not read. */
  readonly exited: Promise<number | null>;
  /** Resolves to the exit code, once the output is read to its end. */
  readonly closed: Promise<number | null>;
  /** Sends a signal and resolves to the exit code. */
  interrupt(): Promise<number | null>;
}

/** Starts `signalbox <args>` and leaves it running. */
export function startCommand(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const codeAt = async (event: 'exit' | 'close') => ((await once(child, event)) as [number | null])[0];
  const [exited, closed] = [codeAt('exit'), codeAt('close')];
  let output = '';
  let stdout = '';
  let wake: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (stream === child.stdout) stdout += text;
      wake();
    });
  const interrupt = () => {
    child.kill('SIGINT');
    return closed;
  };
  return {
    get output() {
      return output;
    },
    get stdout() {
      return stdout;
    },
    pauseReading: () => void child.stdout.pause(),
    resumeReading: () => void child.stdout.resume(),
    closeOutput: () => void child.stdout.destroy(),
    kill: (signal) => void child.kill(signal),
    ...{ exited, closed },
    async until(pattern) {
      while (!pattern.test(output)) {
        if (child.exitCode !== null) throw new Error(`The command has ended: ${output}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    interrupt,
    async [Symbol.asyncDispose]() {
      child.stdout.resume();
      if (child.exitCode === null) await interrupt();
    },
  };
}

/** Runs `signalbox <args>` on a terminal of its own, by `script` of util-linux; undefined where that is missing. */
export async function runOnTerminal(
  args: readonly string[],
  env: Record<string, string>,
): Promise<string | undefined> {
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = await Promise.race([once(child, 'close'), once(child, 'error')]);
  return ended[0] instanceof Error ? undefined : output;
}
