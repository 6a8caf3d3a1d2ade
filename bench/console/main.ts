/**
 * `npm run console:load`: the console beside a busy service. Measures how much of the CPU of the service the console takes,
 * how fast its pages answer to the operator, and whether their memory is bounded. Takes half an hour and needs Chromium.
 *
 * Arguments: rounds (4; 0 omits the CPU of the service), connections (5000), messages per second (500), and the pages to open in
 * the rounds (overview,activity,connections).
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalbox } from '../contenders/signalbox.ts';
import { cpuMsOf, maxOpenFiles } from '../process-usage.ts';
import { median, percentile } from '../statistics.ts';
import { openWindow, type BrowserWindow, type Interaction, type WindowMetrics } from './browser.ts';
import { awaitConnections, useActivity, useConnections } from './interactions.ts';
import { startLoad } from './load.ts';

const [rounds = '4', connections = '5000', perSecond = '500', pages = 'overview,activity,connections'] =
  process.argv.slice(2);
/** Memory is read so many times, once in each period: for two minutes. */
const READS = 12;
const READ_PERIOD_MS = 10_000;
const PERIOD_MS = 30_000;
/** The list of connections is read every 25 seconds. */
const CONNECTIONS_PERIOD_MS = 60_000;
/** What a page does when it opens is no part of the cost of a window that stays open. */
const SETTLE_MS = 3_000;
/** A page of the console that asks for nothing and draws nothing while it is open. */
const RESTING_PAGE = '#/explain';
/** As many messages as the page of the activity shows, for the second service. */
const ELSEWHERE = { connections: 10, perSecond: 100 };

/** What browsers call a long task. */
const LONG_TASK_MS = 50;

const print = (line: string) => void process.stdout.write(`${line}\n`);
if (maxOpenFiles() < Number(connections) + 200) throw new Error('Run “ulimit -n 8200” first.');

const startService = () =>
  signalbox('signalbox', 'Signalbox', 'unique').start({
    SIGNALBOX_CONSOLE: 'on',
    // On a busy machine the service can pause for seconds, while messages are published at the same rate.
    SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION: '10000',
  });
type Service = Awaited<ReturnType<typeof startService>>;
const addressOf = ({ endpoint: { port, apiKey } }: Service) => ({
  url: `http://127.0.0.1:${port}`,
  apiKey: apiKey!,
});

await using server = await startService();
const { pid } = server.endpoint;
using load = await startLoad(server.endpoint, Number(connections), Number(perSecond));

/** The CPU of the service in a period, as a percentage of one core. */
async function measureService(periodMs: number): Promise<number> {
  const [cpu, at, published, deliveries] = [cpuMsOf(pid), performance.now(), load.published, load.deliveries];
  await sleep(periodMs);
  const wallMs = performance.now() - at;
  const rate = (count: number) => Math.round((count / wallMs) * 1_000);
  const percent = ((cpuMsOf(pid) - cpu) / wallMs) * 100;
  print(
    `  ${percent.toFixed(1)} % of a core at ${rate(load.published - published)} messages and ${rate(load.deliveries - deliveries)} deliveries per second`,
  );
  return percent;
}

/** What the window shows in a period of a round. */
type Shown = 'nothing' | 'the page' | 'the page of another service';

/**
 * What an open page costs the service, against two other periods of the same round: one with a window that shows nothing, and
 * one with the same page of another service. In both of the latter, the browser takes as much of the machine, which slows the
 * service down; the difference between them is the work of the service. The order of the rounds alternates, so that a machine
 * that becomes slower or faster favors neither.
 */
async function measureCost(): Promise<void> {
  await using other = await startService();
  const { connections: few, perSecond: rate } = ELSEWHERE;
  using otherLoad = await startLoad(other.endpoint, few, rate);
  await using window = await openWindow();
  const order: Shown[] = ['nothing', 'the page', 'the page of another service'];
  for (const page of pages.split(',')) {
    const periodMs = page === 'connections' ? CONNECTIONS_PERIOD_MS : PERIOD_MS;
    const measured: Record<Shown, number>[] = [];
    for (let round = 1; round <= Number(rounds); round++) {
      const cpu = { nothing: NaN, 'the page': NaN, 'the page of another service': NaN };
      for (const shown of round % 2 === 1 ? order : order.toReversed()) {
        print(`${page}, round ${round}: ${shown}`);
        await window.showNothing();
        if (shown !== 'nothing') {
          await window.signIn(addressOf(shown === 'the page' ? server : other));
          await window.visit(`#/${page}`);
          if (page === 'connections') await awaitConnections(window);
        }
        await sleep(SETTLE_MS);
        cpu[shown] = await measureService(periodMs);
      }
      measured.push(cpu);
    }
    print(`${page.padEnd(12)} ${range(measured.map(({ nothing }) => nothing))} % of a core without it`);
    for (const without of ['nothing', 'the page of another service'] as const)
      print(
        `${page.padEnd(12)} ${range(measured.map((cpu) => cpu['the page'] - cpu[without]))} points of a core, ${range(measured.map((cpu) => (100 * (cpu['the page'] - cpu[without])) / cpu['the page']))} % of the CPU of the service, against a window that shows ${without}`,
      );
  }
  print(`the other service published ${otherLoad.published} messages`);
}

/** The median, the lowest and the highest value. */
const range = (values: readonly number[]) =>
  `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`;

/** How fast a page answers, and what it holds, while an operator uses it. */
async function measureUse(window: BrowserWindow, page: string, use: () => Promise<void>): Promise<void> {
  // The first visit and the first use load code and fill caches, which stay.
  await window.visit(`#/${page}`);
  await use();
  const before = await leavePage(window);
  await window.visit(`#/${page}`);
  await use();
  await window.takeInteractions();
  const interactions: Interaction[] = [];
  const tasks: number[] = [];
  for (let read = 0; read < READS; read++) {
    const [{ cpuSeconds: before }, at] = [await window.readMetrics(), performance.now()];
    const until = at + READ_PERIOD_MS;
    tasks.push(
      ...(await window.traceTasks(async () => {
        while (performance.now() < until) await use();
      })),
    );
    interactions.push(...(await window.takeInteractions()));
    const { heapMb, nodes, nodesOutside, cpuSeconds } = await window.readMetrics();
    const busy = ((cpuSeconds - before) * 100_000) / (performance.now() - at);
    print(
      `  ${page}: heap ${heapMb.toFixed(1)} MB, ${nodes} nodes, ${nodesOutside} of them outside the document, main thread ${busy.toFixed(0)} % of a core`,
    );
  }
  const after = await leavePage(window);
  print(
    `${page.padEnd(12)} left after ${READS} periods: heap ${after.heapMb.toFixed(1)} MB, ${after.nodes} nodes, ${after.listeners} listeners; after one use: ${before.heapMb.toFixed(1)} MB, ${before.nodes} nodes, ${before.listeners} listeners`,
  );
  interactions.sort((a, b) => b.ms - a.ms);
  const latencies = interactions.map(({ ms }) => ms);
  for (const { ms, target } of interactions.slice(0, 5)) print(`  slowest: ${ms} ms, ${target}`);
  print(
    `${page.padEnd(12)} ${tasks.length} tasks: at most ${tasks.reduce((a, b) => Math.max(a, b), 0).toFixed(1)} ms of CPU, ${tasks.filter((ms) => ms > LONG_TASK_MS).length} over ${LONG_TASK_MS} ms`,
  );
  print(
    `${page.padEnd(12)} ${latencies.length} interactions: p50 ${percentile(latencies, 0.5)} ms, p98 ${percentile(latencies, 0.98)} ms, max ${latencies[0]} ms`,
  );
}

/** What is still held when the page was left. */
async function leavePage(window: BrowserWindow): Promise<WindowMetrics> {
  await window.visit(RESTING_PAGE);
  await sleep(SETTLE_MS);
  return window.readMetrics();
}

print(`load average before the start: ${loadavg()[0]?.toFixed(1)}`);
if (Number(rounds) > 0) await measureCost();
await using window = await openWindow();
await window.signIn(addressOf(server));
await measureUse(window, 'activity', () => useActivity(window, load.channel));
await measureUse(window, 'connections', () => useConnections(window));
print(`load average at the end: ${loadavg()[0]?.toFixed(1)}`);
