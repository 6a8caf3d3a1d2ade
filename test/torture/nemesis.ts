import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresServer } from '../support/postgres.ts';
import { hasFaketime } from '../support/faketime.ts';
import { createProxy } from '../support/proxy.ts';
import { type Cluster, type ClusterNode } from './cluster.ts';
import { type Loss } from './history.ts';
import { type Random } from './random.ts';

export const FAULTS = [
  'kill',
  'stop',
  'cut',
  'blackHole',
  'cutListener',
  'silenceListener',
  'skew',
  'crash',
  'promote',
] as const;
export type Fault = (typeof FAULTS)[number];

/** The statement by which the connection of a node that receives the notifications is recognized. */
const LISTEN = 'LISTEN signalbox';

/** How far the system clock of a node is moved ahead or back, in seconds. */
const SKEW_SECONDS = 3600;

export interface NemesisOptions {
  cluster: Cluster;
  postgres: PostgresServer;
  random: Random;
  /** Whether commits wait for the standby that is promoted. Undefined: there is no standby. */
  standby?: 'synchronous' | 'asynchronous' | undefined;
  /** The faults to choose from. Default: all. */
  faults?: readonly Fault[] | undefined;
  /** The longest pause of a process, in milliseconds. */
  longestStopMs: number;
  /** The longest quiet time between two faults, in milliseconds. */
  longestQuietMs: number;
  report: (line: string) => void;
}

export interface Nemesis {
  readonly counts: Readonly<Record<Fault, number>>;
  /** See History. */
  readonly losses: readonly Loss[];
  /** Ends the faults and repairs everything. */
  stop(): Promise<void>;
}

const isOfServer = (fault: Fault) => fault === 'crash' || fault === 'promote';

/** Makes one fault after another, each of them at a random node, and repairs it after a while. */
export function startNemesis(options: NemesisOptions): Nemesis {
  const {
    cluster,
    postgres,
    random,
    standby,
    faults = FAULTS,
    longestStopMs,
    longestQuietMs,
    report,
  } = options;
  const counts = {
    kill: 0,
    stop: 0,
    cut: 0,
    blackHole: 0,
    cutListener: 0,
    silenceListener: 0,
    skew: 0,
    crash: 0,
    promote: 0,
  };
  const losses: Loss[] = [];
  let stopped = false;
  const isStopped = () => stopped;

  const make: Record<Fault, (node: ClusterNode) => Promise<void>> = {
    async kill(node) {
      const { process } = node;
      node.process = undefined;
      process?.kill('SIGKILL');
      await process?.[Symbol.asyncDispose]();
      await delay(random.between(0, 2000));
      await cluster.start(node);
    },
    async stop(node) {
      node.process?.kill('SIGSTOP');
      // Clients do not know at first.
      await delay(random.between(200, 1500));
      node.isStopped = true;
      await delay(random.between(500, longestStopMs));
      node.process?.kill('SIGCONT');
      node.isStopped = false;
    },
    async cut({ proxy }) {
      proxy.cut();
      await delay(random.between(0, 500));
    },
    async blackHole({ proxy }) {
      proxy.setBlackHole(true);
      await delay(random.between(200, longestStopMs));
      proxy.setBlackHole(false);
    },
    async cutListener({ proxy }) {
      proxy.cut(LISTEN);
    },
    async silenceListener({ proxy }) {
      proxy.silence(LISTEN);
      await delay(random.between(500, 2000));
    },
    async skew({ clock }) {
      clock?.set(random.pick([-1, 1]) === 1 ? SKEW_SECONDS : -SKEW_SECONDS);
      await delay(random.between(500, longestStopMs));
      clock?.set(0);
    },
    async crash() {
      await postgres.crash();
    },
    async promote() {
      if (standby === undefined) return;
      const isSynchronous = standby === 'synchronous';
      await using replication = await createProxy(postgres.port);
      const next = await postgres.addStandby({ isSynchronous, through: replication.port });
      await delay(random.between(0, 1000));
      if (!isSynchronous) {
        // The standby falls behind.
        replication.setBlackHole(true);
        await delay(random.between(0, 500));
      }
      const from = performance.now();
      await next.promote();
      if (!isSynchronous) losses.push({ from, to: performance.now() });
    },
  };

  const possible = faults.filter(
    (fault) => (fault !== 'promote' || standby !== undefined) && (fault !== 'skew' || hasFaketime),
  );

  async function run(): Promise<void> {
    while (!isStopped()) {
      await delay(random.between(100, longestQuietMs));
      const fault = random.pick(possible);
      const node = random.pick(cluster.nodes);
      if (isStopped() || !fault || !node?.process) continue;
      counts[fault]++;
      report(`${fault}${isOfServer(fault) ? '' : ` of ${node.name}`}`);
      await make[fault](node);
    }
  }
  const running = run();
  return {
    counts,
    losses,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
