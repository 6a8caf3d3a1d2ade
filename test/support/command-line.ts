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
  /** Sends a signal and resolves to the exit code. */
  interrupt(): Promise<number | null>;
}

/** Starts `signalbox <args>` and leaves it running. */
export function startCommand(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  let output = '';
  let wake: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      wake();
    });
  const interrupt = async () => {
    child.kill('SIGINT');
    return (await closed)[0];
  };
  return {
    get output() {
      return output;
    },
    async until(pattern) {
      while (!pattern.test(output)) {
        if (child.exitCode !== null) throw new Error(`The command has ended: ${output}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    interrupt,
    async [Symbol.asyncDispose]() {
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
