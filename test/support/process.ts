import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createFolder } from './folder.ts';
import { API_KEY, createServiceClient, type ServiceClient } from './service.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LISTENS = /listens on (http:\/\/\S+)\/graphql/;

export interface LaunchOptions {
  /** Of the settings, only these and the API key of the tests are set. */
  env?: Record<string, string>;
  /** The data folder; absent: a new one, removed at the end. */
  folder?: string;
}

/** The real thing: what `npm start` starts, on a free port. */
export interface LaunchedProcess extends AsyncDisposable {
  /** What it said to whoever started it, so far. */
  readonly stderr: string;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
  /** Resolves to its exit code, null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

export interface RunningProcess extends LaunchedProcess, ServiceClient {}

/** Launches it and waits for nothing. */
export function launchProcess(launch: LaunchOptions = {}): LaunchedProcess {
  return spawnIt(launch).launched;
}

/** Launches it and waits until it listens. Fails when it ends first. */
export async function startProcess(launch: LaunchOptions = {}): Promise<RunningProcess> {
  const { launched, listening } = spawnIt(launch);
  const url = await Promise.race([listening, launched.exited.then(() => undefined)]);
  if (url === undefined) {
    await launched[Symbol.asyncDispose]();
    throw new Error(`It ended before it listened: ${launched.stderr}`);
  }
  const doors = createServiceClient(url);
  return {
    ...doors,
    get stderr() {
      return launched.stderr;
    },
    kill: launched.kill,
    exited: launched.exited,
    async [Symbol.asyncDispose]() {
      await doors[Symbol.asyncDispose]();
      await launched[Symbol.asyncDispose]();
    },
  };
}

function spawnIt({ env = {}, folder }: LaunchOptions): {
  launched: LaunchedProcess;
  listening: Promise<string>;
} {
  const own = folder === undefined ? createFolder() : undefined;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      NODE_ENV: 'test',
      PORT: '0',
      SIGNALBOX_DATA: folder ?? own?.path,
      SIGNALBOX_API_KEY: API_KEY,
      SIGNALBOX_LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const listening = new Promise<string>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = LISTENS.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  // Not when it exits: only when all that it said has been read.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const launched: LaunchedProcess = {
    get stderr() {
      return said;
    },
    kill: (signal) => child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      own?.[Symbol.dispose]();
    },
  };
  return { launched, listening };
}
