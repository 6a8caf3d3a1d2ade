import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { nginxVersion } from './contenders/nchan.ts';

const PACKAGES = [
  'graphql',
  'graphql-ws',
  'graphql-yoga',
  'graphql-subscriptions',
  'mercurius',
  'fastify',
  'socket.io',
  'ws',
];

/** The machine and the package versions of a run. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  /** Load average of the last minute before the first round: the activity of other processes. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nginx: nginxVersion() ?? 'none',
    load: loadavg()[0] ?? NaN,
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** The machine in one line, for the subtitle of a chart. */
export function machineLine({ cpu, cores, node }: Machine): string {
  return `${cores} cores, ${cpu}, Node ${node}, loopback`;
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as {
    version: string;
  };
  return version;
}
