/**
 * `npm run console:load`: the console beside a busy service. Measures how much of the CPU of the service the console takes,
 * how fast its pages answer to the operator, and whether their memory is bounded. Takes 20 minutes and needs Chromium.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalbox } from '../contenders/signalbox.ts';
import { maxOpenFiles, cpuMsOf } from '../process-usage.ts';
import { median, percentile } from '../statistics.ts';
import { openConsole, type ConsoleWindow, type Interaction } from './browser.ts';
import { useActivity, useConnections } from './interactions.ts';
import { startLoad } from './load.ts';

const [rounds = '3', connections = '5000', perSecond = '500'] = process.argv.slice(2);
const PERIOD_MS = 10_000;
/** A window is measured for longer, so that the list of connections is read in it as often as it is in an hour. */
const OPEN_PERIOD_MS = 60_000;
/** Memory is read so many times, once in each period: for two minutes. */
const READS = 12;
/** The pages that a window may stay on. The first is measured as the others are, so it shows the noise. */
const PAGES = ['none', 'overview', 'activity', 'connections'] as const;

/** What browsers call a long task. */
const LONG_TASK_MS = 50;
/** What the page of the connections shows when it has read them all. */
const LOADED = `${connections} connections`;

const print = (line: string) => void process.stdout.write(`${line}\n`);
if (maxOpenFiles() < Number(connections) + 200) throw new Error('Run “ulimit -n 8200” first.');

await using server = await signalbox('signalbox', 'Signalbox', 'unique').start({ SIGNALBOX_CONSOLE: 'on' });
const { port, pid, apiKey } = server.endpoint;
using load = await startLoad(server.endpoint, Number(connections), Number(perSecond));
const open = () => openConsole(`http://127.0.0.1:${port}`, apiKey!);

/** The CPU of the service in a period, as a percentage of one core. */
async function measureService(periodMs = PERIOD_MS): Promise<number> {
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

/** What a page costs the service: the median over the rounds of the differences to the same period without a console. */
async function measureCost(): Promise<void> {
  const samples = new Map(PAGES.map((page) => [page, { cost: [] as number[], share: [] as number[] }]));
  for (let round = 0; round < Number(rounds); round++)
    for (const [page, { cost, share }] of samples) {
      print(`round ${round + 1}, ${page}`);
      const before = await measureService();
      const window = page === 'none' ? undefined : await open();
      await window?.visit(`#/${page}`);
      // The first read is no part of the cost of a window that stays open.
      if (page === 'connections') await window?.page.getByText(LOADED).waitFor();
      const during = await measureService(OPEN_PERIOD_MS);
      await window?.[Symbol.asyncDispose]();
      const after = await measureService();
      cost.push(during - (before + after) / 2);
      share.push((100 * (during - (before + after) / 2)) / during);
    }
  for (const [page, { cost, share }] of samples)
    print(
      `${page.padEnd(12)} ${median(cost).toFixed(1)} % of a core, ${median(share).toFixed(1)} % of the CPU of the service (from ${Math.min(...cost).toFixed(1)} to ${Math.max(...cost).toFixed(1)} % of a core)`,
    );
}

/** How fast a page answers, and what it holds, while an operator uses it. */
async function measureUse(window: ConsoleWindow, page: string, use: () => Promise<void>): Promise<void> {
  await window.visit(`#/${page}`);
  await use();
  await window.takeInteractions();
  const interactions: Interaction[] = [];
  const tasks: number[] = [];
  for (let read = 0; read < READS; read++) {
    const [{ cpuSeconds: before }, at] = [await window.readMetrics(), performance.now()];
    const until = at + PERIOD_MS;
    tasks.push(
      ...(await window.traceTasks(async () => {
        while (performance.now() < until) await use();
      })),
    );
    interactions.push(...(await window.takeInteractions()));
    const { heapMb, nodes, cpuSeconds } = await window.readMetrics();
    const busy = ((cpuSeconds - before) * 100_000) / (performance.now() - at);
    print(
      `  ${page}: heap ${heapMb.toFixed(1)} MB, ${nodes} nodes, main thread ${busy.toFixed(0)} % of a core`,
    );
  }
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

print(`load average before the start: ${loadavg()[0]?.toFixed(1)}`);
if (Number(rounds) > 0) await measureCost();
await using window = await open();
await measureUse(window, 'activity', () => useActivity(window, load.channel));
await measureUse(window, 'connections', () => useConnections(window, LOADED));
print(`load average at the end: ${loadavg()[0]?.toFixed(1)}`);
