import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** A window of a real browser, with what its developer tools report. */
export interface BrowserWindow extends AsyncDisposable {
  readonly page: Page;
  /** Opens the console of a service and signs in. */
  signIn(service: { url: string; apiKey: string }): Promise<void>;
  /** Leaves the console: the window stays open, and shows nothing. */
  showNothing(): Promise<void>;
  /** Opens a page of the console by its address. */
  visit(hash: string): Promise<void>;
  /** The interactions since the last call. */
  takeInteractions(): Promise<Interaction[]>;
  /** After a garbage collection. */
  readMetrics(): Promise<WindowMetrics>;
  /**
   * The CPU time of each task of the main thread while `use` runs, in ms. A click or a key press waits for at most one task, is
   * one, and is shown by one: on a machine that does other things, too, their CPU time tells what the page itself takes.
   */
  traceTasks(use: () => Promise<void>): Promise<number[]>;
}

/** What a window holds, and what it has used so far. */
export interface WindowMetrics {
  readonly heapMb: number;
  /** Nodes of the document and those that were removed from it, but are still referenced. */
  readonly nodes: number;
  /**
   * The nodes that are not in the document. The browser makes some for its own use, and one for each change of a text field: its
   * undo history, of at most 1,000 changes, which it drops when the field is removed.
   */
  readonly nodesOutside: number;
  readonly listeners: number;
  /** The CPU time of the main thread, in seconds, which other processes do not lengthen. */
  readonly cpuSeconds: number;
}

/** A click or a key press. */
export interface Interaction {
  /** The time until the frame after its handlers was painted, in ms. */
  readonly ms: number;
  /** What was clicked, or the field in which a key was pressed. */
  readonly target: string;
}

/** Starts a browser of its own. */
export async function openWindow(): Promise<BrowserWindow> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(OBSERVE_EVENTS);
  return browserWindow(browser, page, await page.context().newCDPSession(page));
}

/**
 * The Event Timing API reports each input whose handlers and following frame took at least 16 ms; what is faster counts as
 * 16 ms. The events of one click or key press share an id and count once, by the longest.
 */
const OBSERVE_EVENTS = `
  globalThis.interactions = new Map();
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, name, target } of list.getEntries()) {
      if (!interactionId || duration <= (interactions.get(interactionId)?.ms ?? 0)) continue;
      const label = target?.getAttribute('aria-label') ?? target?.textContent ?? '';
      interactions.set(interactionId, { ms: duration, target: name + ' ' + label.slice(0, 20) });
    }
  }).observe({ type: 'event', durationThreshold: 16 });`;

const COUNT_NODES = `(() => {
  const nodes = document.createNodeIterator(document);
  let count = 0;
  while (nodes.nextNode()) count++;
  return count;
})()`;

function browserWindow(browser: Browser, page: Page, developerTools: CDPSession): BrowserWindow {
  return {
    page,
    async signIn({ url, apiKey }) {
      await page.goto(`${url}/console`);
      await page.getByRole('textbox', { name: 'API key' }).fill(apiKey);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('status').getByText('live').waitFor();
    },
    async showNothing() {
      await page.goto('about:blank');
    },
    async visit(hash) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
    },
    takeInteractions: () =>
      page.evaluate<Interaction[]>(
        '(() => { const taken = [...interactions.values()]; interactions.clear(); return taken; })()',
      ),
    async readMetrics() {
      await developerTools.send('Performance.enable', { timeDomain: 'threadTicks' });
      await developerTools.send('HeapProfiler.collectGarbage');
      const nodesInside = await page.evaluate<number>(COUNT_NODES);
      const { metrics } = await developerTools.send('Performance.getMetrics');
      const valueOf = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
      return {
        heapMb: valueOf('JSHeapUsedSize') / 2 ** 20,
        nodes: valueOf('Nodes'),
        nodesOutside: valueOf('Nodes') - nodesInside,
        listeners: valueOf('JSEventListeners'),
        cpuSeconds: valueOf('TaskDuration'),
      };
    },
    async traceTasks(use) {
      const tracing = await browser.newBrowserCDPSession();
      const complete = new Promise<string>((resolve) =>
        tracing.once('Tracing.tracingComplete', ({ stream = '' }) => resolve(stream)),
      );
      await tracing.send('Tracing.start', {
        transferMode: 'ReturnAsStream',
        traceConfig: { includedCategories: ['toplevel'] },
      });
      await use();
      await tracing.send('Tracing.end');
      const tasks = tasksOf(await readStream(tracing, await complete));
      await tracing.detach();
      return tasks;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function readStream(session: CDPSession, handle: string): Promise<string> {
  for (let text = ''; ;) {
    const { data, eof } = await session.send('IO.read', { handle, size: 1 << 20 });
    text += data;
    if (eof) return text;
  }
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** The CPU time of the thread, in µs. */
  tdur?: number;
  args?: { name?: string };
}

/** The CPU times of the tasks of the page, whose main thread has run more tasks than that of any other renderer. */
function tasksOf(trace: string): number[] {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
  const tasks = new Map<string, number[]>();
  for (const event of traceEvents)
    if (event.name === 'thread_name' && event.args?.name === 'CrRendererMain') tasks.set(threadOf(event), []);
  for (const event of traceEvents)
    if (event.name === 'ThreadControllerImpl::RunTask' && event.tdur !== undefined)
      tasks.get(threadOf(event))?.push(event.tdur / 1_000);
  return [...tasks.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}
