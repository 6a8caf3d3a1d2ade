import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from '../compile.ts';
import { type Endpoint, type RunningServer } from '../contender.ts';

const PATIENCE_MS = 5000;

/** A server for one contender: a program in this folder that prints its port. */
export async function startProgram(
  name: string,
  endpoint: Omit<Endpoint, 'port' | 'pid'>,
): Promise<RunningServer> {
  const child = fork(compiled(`contenders/${name}.ts`), {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const told = once(child, 'message').then(([message]) => message as { port: number });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)} before it listened.`);
  });
  const { port } = await Promise.race([told, exited]);
  exited.catch(() => undefined);
  return running(child, { ...endpoint, port, pid: child.pid! });
}

/** Starts a third-party program; `isUp` inspects its output on standard error. */
export async function startProcess<T>(
  command: string,
  args: readonly string[],
  { env = {}, isUp }: { env?: Readonly<Record<string, string>>; isUp: (said: string) => T | undefined },
): Promise<{ child: ChildProcess; told: T }> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const told = await new Promise<T>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const up = isUp(said);
      if (up !== undefined) resolve(up);
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`${command} ended: ${said}`)));
  });
  return { child, told };
}

/**
 * A server that ends with its process.
 * @param after what is left to tidy up then.
 * @param lastWord what ends it when this process is about to end itself; nginx must be asked, or its workers stay.
 */
export function running(
  child: ChildProcess,
  endpoint: Endpoint,
  { after, lastWord = 'SIGKILL' }: { after?: () => void; lastWord?: NodeJS.Signals } = {},
): RunningServer {
  const kill = () => child.kill(lastWord);
  process.on('exit', kill);
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const impatient = setTimeout(kill, PATIENCE_MS);
        await exited;
        clearTimeout(impatient);
      }
      process.off('exit', kill);
      after?.();
    },
  };
}
