import { every, type Clock } from '../clock.ts';
import { type ErrorCode } from '../errors.ts';
import { Counter, NOTHING_COUNTED, sumOf, type Counted, type Counts } from './counts.ts';
import { type LoopLag } from './loop-lag.ts';

/** The length of a step of the series, in milliseconds. */
export const STEP_MS = 10_000;
/** The samples of a series: one hour. */
export const MAX_SAMPLES = 360;
/** The projects with a series of their own. A series of an hour takes up to 100 KB. */
export const MAX_SERIES = 100;

/** The sizes of the store. */
export interface StoreSize {
  databaseBytes: number;
  /** Undefined on PostgreSQL, whose write-ahead log belongs to the server. */
  walBytes: number | undefined;
  messages: number;
}

/** One step of a series. */
export interface StatsSample {
  /** The end of the step, in milliseconds since 1970. */
  at: number;
  /** The live connections at the end of the step. */
  connections: number;
  /** What happened during the step. */
  counts: Counts;
  /** Figures of the process; undefined in the samples of one project, because they depend on the others. */
  process: ProcessSample | undefined;
}

export interface ProcessSample {
  /** The longest delay of the event loop during the step, in milliseconds. */
  loopLagMs: number;
  /** Undefined when the store cannot be read. */
  store: StoreSize | undefined;
}

/** The figures of this node, of all projects or of one. */
export interface StatsReading {
  nodeId: string;
  /** When the node began to count, in milliseconds since 1970. */
  startedAt: number;
  /** Undefined: all projects. */
  projectId: string | undefined;
  /** The moment of the reading, in milliseconds since 1970. */
  at: number;
  connections: number;
  /** Since `startedAt`. */
  totals: Counts;
  /** The steps of the last hour, oldest first. */
  series: readonly StatsSample[];
  /** Undefined for one project, and when the store cannot be read. */
  store: StoreSize | undefined;
}

/** Counts what happens, for the project in which it happens. */
export interface StatsRecorder {
  count(projectId: string, counted: Counted, by?: number): void;
  /** @param projectId undefined: the caller was refused before its project was known */
  refused(code: ErrorCode, projectId: string | undefined): void;
}

/** See `createStats`. */
export interface Stats extends StatsRecorder, Disposable {
  /** @param projectId absent: all projects */
  read(projectId?: string): StatsReading;
  /** Sets the source of the numbers of live connections by project. */
  observeConnections(read: () => ReadonlyMap<string, number>): void;
  /** Sets the source of the sizes of the store. */
  observeStore(read: () => StoreSize | undefined): void;
}

/** The figures of this node since its start, and the series of the last hour. Everything is in memory and bounded. */
export function createStats({
  clock,
  nodeId,
  loopLag,
}: {
  clock: Clock;
  nodeId: string;
  loopLag: LoopLag;
}): Stats {
  const startedAt = clock.now();
  /** Up to the end of the last step. Only the operator creates projects, so their number is bounded. */
  const totals = { whole: new Counter(), byProject: new Map<string, Counter>() };
  /** The current step. */
  let step = newStep();
  const wholeSeries: StatsSample[] = [];
  /** By project, in the order of their last step in which anything happened. */
  const seriesByProject = new Map<string, StatsSample[]>();
  let readConnections = (): ReadonlyMap<string, number> => new Map();
  let readStore: (() => StoreSize | undefined) | undefined;

  /** Deliveries of one batch follow each other, so remembering the last project saves almost every lookup. */
  function counterOf(projectId: string): Counter {
    if (step.last?.projectId === projectId) return step.last.counter;
    const counter = step.byProject.get(projectId) ?? new Counter();
    step.byProject.set(projectId, counter);
    step.last = { projectId, counter };
    return counter;
  }

  function storeSize(): StoreSize | undefined {
    try {
      return readStore?.();
    } catch {
      return undefined;
    }
  }

  function addToTotals(projectId: string, counts: Counts): void {
    const total = totals.byProject.get(projectId) ?? new Counter();
    total.add(counts);
    totals.byProject.set(projectId, total);
  }

  /** Moves the series of a project behind those in which nothing has happened for longer; begins one if there is none. */
  function touchSeries(projectId: string): void {
    const samples = seriesByProject.get(projectId) ?? [];
    seriesByProject.delete(projectId);
    seriesByProject.set(projectId, samples);
  }

  function endStep(): void {
    const ended = step;
    step = newStep();
    const at = clock.now();
    const connections = readConnections();
    totals.whole.add(ended.whole);
    add(wholeSeries, {
      at,
      connections: sum(connections.values()),
      counts: ended.whole,
      process: { loopLagMs: loopLag.takeMax(), store: storeSize() },
    });
    for (const [projectId, counts] of ended.byProject) addToTotals(projectId, counts);
    for (const projectId of [...connections.keys(), ...ended.byProject.keys()]) touchSeries(projectId);
    for (const projectId of seriesByProject.keys()) {
      if (seriesByProject.size <= MAX_SERIES) break;
      seriesByProject.delete(projectId);
    }
    for (const [projectId, samples] of seriesByProject)
      add(samples, {
        at,
        connections: connections.get(projectId) ?? 0,
        counts: ended.byProject.get(projectId) ?? NOTHING_COUNTED,
        process: undefined,
      });
  }
  const steps = every(clock, STEP_MS, endStep);

  return {
    count(projectId, counted, by = 1) {
      step.whole[counted] += by;
      counterOf(projectId)[counted] += by;
    },
    refused(code, projectId) {
      step.whole.refuse(code);
      if (projectId !== undefined) counterOf(projectId).refuse(code);
    },
    read(projectId) {
      const connections = readConnections();
      const isWhole = projectId === undefined;
      return {
        nodeId,
        startedAt,
        projectId,
        at: clock.now(),
        connections: isWhole ? sum(connections.values()) : (connections.get(projectId) ?? 0),
        totals: isWhole
          ? sumOf(totals.whole, step.whole)
          : sumOf(totals.byProject.get(projectId), step.byProject.get(projectId)),
        series: isWhole ? wholeSeries : (seriesByProject.get(projectId) ?? []),
        store: isWhole ? storeSize() : undefined,
      };
    },
    observeConnections: (read) => void (readConnections = read),
    observeStore: (read) => void (readStore = read),
    [Symbol.dispose]: () => steps[Symbol.dispose](),
  };
}

interface Step {
  whole: Counter;
  byProject: Map<string, Counter>;
  last: { projectId: string; counter: Counter } | undefined;
}

const newStep = (): Step => ({ whole: new Counter(), byProject: new Map(), last: undefined });

function add(samples: StatsSample[], sample: StatsSample): void {
  samples.push(sample);
  if (samples.length > MAX_SAMPLES) samples.shift();
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
