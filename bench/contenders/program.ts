import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from '../compile.ts';
import { type Endpoint, type RunningServer } from '../contender.ts';

const TIMEOUT_MS = 5000;

/** Starts a program of this folder that serves one contender and sends its port to this process. */
export async function startProgram(
  name: string,
  endpoint: Omit<Endpoint, 'port' | 'pid'>,
): Promise<RunningServer> {
  const child = fork(compiled(`contenders/${name}.ts`), {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const announced = once(child, 'message').then(([message]) => message as { port: number });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} exited with ${String(code)} before it listened.`);
  });
  const { port } = await Promise.race([announced, exited]);
  exited.catch(() => undefined);
  return running(child, { ...endpoint, port, pid: child.pid! });
}

/** Starts another process. It is ready when `parseOutput` returns a value for its standard error output so far. */
export async function startProcess<T>(
  command: string,
  args: readonly string[],
  {
    env = {},
    user,
    parseOutput,
  }: {
    env?: Readonly<Record<string, string>>;
    /** The user of the process. Default: that of this process. */
    user?: { uid: number; gid: number };
    parseOutput: (output: string) => T | undefined;
  },
): Promise<{ child: ChildProcess; announced: T }> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  });
  let output = '';
  const announced = await new Promise<T>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const result = parseOutput(output);
      if (result !== undefined) resolve(result);
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`${command} exited: ${output}`)));
  });
  return { child, announced };
}

/**
 * A running server, whose process is stopped when the object is disposed.
 *
 * @param after cleans up after the process has exited.
 * @param killSignal stops the process when this process exits. nginx needs SIGTERM; after SIGKILL, its workers keep running.
 */
export function running(
  child: ChildProcess,
  endpoint: Endpoint,
  { after, killSignal = 'SIGKILL' }: { after?: () => void; killSignal?: NodeJS.Signals } = {},
): RunningServer {
  const kill = () => child.kill(killSignal);
  process.on('exit', kill);
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const timeout = setTimeout(kill, TIMEOUT_MS);
        await exited;
        clearTimeout(timeout);
      }
      process.off('exit', kill);
      after?.();
    },
  };
}
