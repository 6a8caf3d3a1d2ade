import { createSystemClock, hasFaketime, type SystemClock } from '../support/faketime.ts';
import { createFolder } from '../support/folder.ts';
import { createProxy, type Proxy } from '../support/proxy.ts';
import { type PostgresServer } from '../support/postgres.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';

const MASTER_KEY = 'the-master-key-of-these-test-processes';

/** A node process that reaches PostgreSQL through a proxy of its own. */
export interface ClusterNode {
  readonly name: string;
  readonly proxy: Proxy;
  /** The system clock of the node; undefined if libfaketime is not installed. */
  readonly clock: SystemClock | undefined;
  /** Undefined while the process is down. */
  process: RunningProcess | undefined;
  /** Whether the process is stopped by SIGSTOP. */
  isStopped: boolean;
}

/** Nodes on one database. */
export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly ClusterNode[];
  /** Reaches the database without a proxy. */
  readonly databaseUrl: string;
  /** The nodes that run, as far as a load balancer can know. */
  running(): ClusterNode[];
  start(node: ClusterNode): Promise<void>;
}

export interface ClusterOptions {
  count: number;
  /** The program of the nodes. Default: the built service. */
  main?: string | undefined;
  /** `SIGNALBOX_DATABASE_FAILOVER` of the nodes. Default: the default of the service. */
  failover?: 'synchronous' | 'asynchronous' | undefined;
}

export async function startCluster(
  postgres: PostgresServer,
  { count, main, failover }: ClusterOptions,
): Promise<Cluster> {
  const url = new URL(await postgres.createDatabase());
  const nodes: ClusterNode[] = [];
  const folders: Disposable[] = [];

  async function start(node: ClusterNode): Promise<void> {
    const databaseUrl = Object.assign(new URL(url), { port: String(node.proxy.port) }).href;
    node.process = await startProcess({
      main,
      env: {
        ...node.clock?.env,
        SIGNALBOX_DATABASE_URL: databaseUrl,
        SIGNALBOX_MASTER_KEY: MASTER_KEY,
        ...(failover && { SIGNALBOX_DATABASE_FAILOVER: failover }),
        SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY: '100000',
        SIGNALBOX_CONNECTS_PER_SECOND: '100000',
      },
    });
  }

  for (let index = 0; index < count; index++) {
    const folder = createFolder();
    folders.push(folder);
    const node: ClusterNode = {
      name: `node ${index + 1}`,
      proxy: await createProxy(() => postgres.port),
      clock: hasFaketime ? createSystemClock(folder.path) : undefined,
      process: undefined,
      isStopped: false,
    };
    nodes.push(node);
    await start(node);
  }
  return {
    nodes,
    databaseUrl: url.href,
    running: () => nodes.filter(({ process, isStopped }) => process !== undefined && !isStopped),
    start,
    async [Symbol.asyncDispose]() {
      for (const { process } of nodes) await process?.[Symbol.asyncDispose]();
      for (const { proxy } of nodes) await proxy[Symbol.asyncDispose]();
      for (const folder of folders) folder[Symbol.dispose]();
    },
  };
}
