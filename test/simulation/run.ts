import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Config } from '../../src/config.ts';
import { startService, type TestService } from '../support/service.ts';
import { createRandomSource } from './random-source.ts';
import { checkPresence } from './check-final-state.ts';
import { readLog, readPresence } from './read-final-state.ts';
import { RecordIndex } from './record-index.ts';
import { Driver } from './driver.ts';
import { planLane, channelsOf, type PlanOptions } from './plan.ts';
import { finalMessageTo, type SimulationRecord } from './record.ts';

export interface SimulationOptions extends PlanOptions {
  /** Number of steps in each lane after all tokens were created. Default: 200. Ignored if `minutes` is given. */
  steps?: number;
  minutes?: number;
}

export const DEFAULT_OPTIONS = { tokens: 200, channels: 20, lanes: 8, steps: 200 };

/** All clients connect from one address, and the log must keep every message of a simulation. */
const CONFIG: Partial<Config> = {
  connectsPerSecond: 1_000_000,
  maxConnectionsPerAddress: 1_000_000,
  publishesPerSecondPerToken: 1_000_000,
  retentionMessages: 10_000_000,
};

/** Timeout of each phase at the end: all clients connected, all final messages delivered, presence counts correct. */
const TIMEOUT_MS = 20_000;
const INTERVAL_MS = 20;

/** Runs a simulation from its seed against a service in this process, and returns its record. */
export async function runSimulation(options: SimulationOptions): Promise<SimulationRecord> {
  await using signalbox = await startService(CONFIG);
  await using driver = new Driver(signalbox, {
    seed: options.seed,
    wallClock: [],
    stalls: [],
    channels: channelsOf(options),
    tokens: [],
    attempts: [],
    patches: [],
    streams: [],
    onlineChecks: [],
    unexpectedErrors: [],
    finalState: { sent: 0, returned: 0, online: [], channels: [], histories: [], directMessages: [] },
    cuts: 0,
  });
  using _stalls = recordStalls(driver);
  await driver.open();
  await Promise.all(Array.from({ length: options.lanes }, (_, lane) => runLane(driver, options, lane)));
  await finish(driver, signalbox);
  return driver.record;
}

async function runLane(driver: Driver, options: SimulationOptions, lane: number): Promise<void> {
  const { lanes, tokens, steps = DEFAULT_OPTIONS.steps, minutes } = options;
  const end = Date.now() + (minutes ?? 0) * 60_000;
  let done = -Math.ceil(tokens / lanes);
  for (const step of planLane(options, lane)) {
    await driver.perform(step);
    if (minutes === undefined ? ++done >= steps : Date.now() >= end) return;
  }
}

/** Stops the random cuts, reconnects most clients, and waits until each active client has received a final message. */
async function finish(driver: Driver, signalbox: TestService): Promise<void> {
  const { record, tokens } = driver;
  const clients = [...driver.clients.values()];
  const random = createRandomSource(record.seed).fork('finish');
  driver.cutsAtRandom = false;
  for (const client of clients) {
    client.goOnline();
    if (random.next() < 0.7) client.connect();
  }
  const active = clients.filter(({ stream }) => stream.isActive);
  const connected = active.map((client) => client.untilConnected());
  await within(driver, 'connect all clients', Promise.all([driver.untilIdle(), ...connected]));
  for (const { name, id, permissionPeriods } of tokens.values()) {
    if (permissionPeriods.at(-1)?.ended) continue;
    await driver.sendDirect(`token:${name}`, { token: id }, false, finalMessageTo(name));
  }
  const received = active.map((client) => client.untilReceived(finalMessageTo(client.stream.token)));
  await within(driver, 'deliver the final messages', Promise.all(received));
  Object.assign(record.finalState, await readLog(signalbox, record.channels, tokens.values()));
  await settle(driver, signalbox);
  record.cuts = clients.reduce((sum, { cuts }) => sum + cuts, 0);
}

/**
 * Reads the presence until it matches the record, since a client knows of its closed socket a little earlier than the
 * service. Later events are not recorded.
 */
async function settle(driver: Driver, signalbox: TestService): Promise<void> {
  const { record } = driver;
  const end = Date.now() + TIMEOUT_MS;
  do {
    const { value, span } = await driver.timed(() => readPresence(signalbox, record.channels));
    Object.assign(record.finalState, value, span);
    if (checkPresence(new RecordIndex(record)).length === 0) return;
    await nextTurn();
  } while (Date.now() < end);
}

async function within({ record }: Driver, goal: string, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      record.unexpectedErrors.push(`More than ${TIMEOUT_MS} ms passed without the goal: ${goal}`);
      resolve();
    }, TIMEOUT_MS);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Records a stall whenever a timer fires late although the process used no CPU time: then the machine ran other work. */
function recordStalls(driver: Driver): Disposable {
  const { record } = driver;
  let last: { wall: number; cpu: number } | undefined;
  const timer = setInterval(() => {
    const at = driver.now();
    const { user, system } = process.cpuUsage();
    const now = { wall: record.wallClock[at]!, cpu: (user + system) / 1000 };
    const ms = last ? now.wall - last.wall - INTERVAL_MS - (now.cpu - last.cpu) : 0;
    if (ms > INTERVAL_MS) record.stalls.push({ at, ms });
    last = now;
  }, INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
