import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createFolder } from './folder.ts';
import { API_KEY, createServiceClient, type ServiceClient } from './service.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LISTENS = /listens on (http:\/\/\S+)\/graphql/;

export interface LaunchOptions {
  /** The program. Default: the built service. */
  main?: string | undefined;
  /** Environment variables. Otherwise only the port, the folder, the log level and the API key of the tests are set. */
  env?: Record<string, string>;
  /** The data folder. Default: a temporary folder, removed when the process is disposed. */
  folder?: string;
  /** Standard output: a file descriptor, or a pipe that is `stdout` of the process. Default: `ignore`. */
  stdout?: number | 'pipe' | 'ignore';
  /** Limit of open files and sockets. Default: that of the tests. */
  descriptors?: number;
}

/** The built service, started as `npm start` starts it, on a free port. */
export interface LaunchedProcess extends AsyncDisposable {
  readonly pid: number | undefined;
  /** The standard error output so far. */
  readonly stderr: string;
  /** Null unless standard output is a pipe. Nothing reads it. */
  readonly stdout: Readable | null;
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves to the exit code, or to null if a signal ended the process. */
  readonly exited: Promise<number | null>;
}

export interface RunningProcess extends LaunchedProcess, ServiceClient {}

/** Starts the service without waiting until it listens. */
export function launchProcess(launch: LaunchOptions = {}): LaunchedProcess {
  return spawnMain(launch).launched;
}

/** Starts the service and waits until it listens. Rejects if the process exits first. */
export async function startProcess(launch: LaunchOptions = {}): Promise<RunningProcess> {
  const { launched, listening } = spawnMain(launch);
  const url = await Promise.race([listening, launched.exited.then(() => undefined)]);
  if (url === undefined) {
    await launched[Symbol.asyncDispose]();
    throw new Error(`The process exited before it listened: ${launched.stderr}`);
  }
  const client = createServiceClient(url);
  return {
    ...client,
    pid: launched.pid,
    get stderr() {
      return launched.stderr;
    },
    kill: launched.kill,
    stdout: launched.stdout,
    exited: launched.exited,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await launched[Symbol.asyncDispose]();
    },
  };
}

function spawnMain({ main = MAIN, env = {}, folder, stdout = 'ignore', descriptors }: LaunchOptions): {
  launched: LaunchedProcess;
  listening: Promise<string>;
} {
  const temporaryFolder = folder === undefined ? createFolder() : undefined;
  const command =
    descriptors === undefined
      ? [process.execPath, main]
      : ['sh', '-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, main];
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: {
      NODE_ENV: 'test',
      PORT: '0',
      SIGNALBOX_DATA: folder ?? temporaryFolder?.path,
      SIGNALBOX_API_KEY: API_KEY,
      SIGNALBOX_LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  const { stderr: errors } = child;
  assert(errors, 'stderr is a pipe');
  let stderr = '';
  const listening = new Promise<string>((resolve) => {
    errors.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      const url = LISTENS.exec(stderr)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  // Wait for `close`, not for `exit`: only then has all of the output been read.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const launched: LaunchedProcess = {
    pid: child.pid,
    get stderr() {
      return stderr;
    },
    stdout: child.stdout,
    kill: (signal) => child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      temporaryFolder?.[Symbol.dispose]();
    },
  };
  return { launched, listening };
}
