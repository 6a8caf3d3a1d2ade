/** Looks up a value of one round; undefined if it was not measured. */
export type Lookup = (part: string, contender: string, key: string, variant?: number) => number | undefined;

/** A performance goal of Signalbox. Its value is computed for each round, since ratios are meaningful only within a round. */
export interface Target {
  readonly name: string;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: '×' | 'KB' | 'µs' | 'ms' | '/s' | '%';
  /** A target that does not fail the run when it is missed. */
  readonly isStretchGoal?: boolean;
  /** @param variantsOf the sizes that a part was measured with. */
  of(look: Lookup, variantsOf: (part: string) => readonly number[]): number | undefined;
}

const CPU = 'cpuUsPerDelivery';

/** The CPU cost of Signalbox divided by that of another contender. */
function costRelativeTo(part: string, other: string, limit: number, contender = 'signalbox'): Target {
  const name = `${part}: CPU per delivery${contender === 'signalbox' ? '' : ' with UUID ids'}, relative to ${other}`;
  return {
    name,
    sense: 'at most',
    limit,
    unit: '×',
    of: (look) => ratio(look(part, contender, CPU), look(part, other, CPU)),
  };
}

/** The CPU cost of another contender divided by that of Signalbox. */
function deliveriesRelativeTo(part: string, other: string, limit: number): Target {
  return {
    name: `${part}: deliveries per CPU, relative to ${other}`,
    sense: 'at least',
    limit,
    unit: '×',
    of: (look) => ratio(look(part, other, CPU), look(part, 'signalbox', CPU)),
  };
}

function absolute(
  name: string,
  sense: Target['sense'],
  limit: number,
  unit: Target['unit'],
  [part, key]: readonly [string, string],
): Target {
  return { name, sense, limit, unit, of: (look) => look(part, 'signalbox', key) };
}

function relativeTo(
  name: string,
  sense: Target['sense'],
  limit: number,
  [part, key, other]: readonly [string, string, string],
): Target {
  return {
    name,
    sense,
    limit,
    unit: '×',
    of: (look) => ratio(look(part, 'signalbox', key), look(part, other, key)),
  };
}

/** The deviation of the cheapest and the most expensive size from the middle between them, in percent. */
function deviation(part: string, variants: string): Target {
  return {
    name: `${part}: deviation of CPU per delivery over all ${variants}, ±`,
    sense: 'at most',
    limit: 20,
    unit: '%',
    of(look, variantsOf) {
      const costs = variantsOf(part).map((variant) => look(part, 'signalbox', CPU, variant) ?? NaN);
      if (costs.length < 2) return undefined;
      const [min, max] = [Math.min(...costs), Math.max(...costs)];
      return ((max - min) / (max + min)) * 100;
    },
  };
}

export const TARGETS: readonly Target[] = [
  costRelativeTo('fanout-single', 'raw-ws', 0.85),
  costRelativeTo('fanout-single', 'nchan', 1.1),
  costRelativeTo('fanout-burst', 'raw-ws', 0.1),
  costRelativeTo('fanout-burst', 'nchan', 1),
  costRelativeTo('fanout-burst', 'raw-ws', 0.3, 'signalbox-uuid'),
  {
    ...absolute('fanout-burst: deliveries per second of CPU', 'at least', 1_000_000, '/s', [
      'fanout-burst',
      'deliveriesPerCpuSecond',
    ]),
    isStretchGoal: true,
  },
  deliveriesRelativeTo('fanout-single', 'yoga', 7),
  deliveriesRelativeTo('fanout-burst', 'yoga', 50),
  deliveriesRelativeTo('fanout-single', 'apollo', 5),
  deliveriesRelativeTo('fanout-burst', 'apollo', 40),
  deliveriesRelativeTo('fanout-single', 'mercurius', 5),
  deliveriesRelativeTo('fanout-burst', 'mercurius', 40),
  absolute('memory: per connection', 'at most', 12, 'KB', ['memory', 'kbPerConnection']),
  relativeTo('memory: relative to socket-io', 'at most', 1, ['memory', 'kbPerConnection', 'socket-io']),
  relativeTo('memory: relative to raw-ws', 'at most', 1.6, ['memory', 'kbPerConnection', 'raw-ws']),
  absolute('connect: CPU, token verified, one subscription', 'at most', 400, 'µs', [
    'connect',
    'cpuUsPerConnect',
  ]),
  absolute('publish-http: acknowledged', 'at least', 12_000, '/s', ['publish-http', 'publishesPerSecond']),
  relativeTo('publish-http: acknowledged, relative to yoga', 'at least', 3, [
    'publish-http',
    'publishesPerSecond',
    'yoga',
  ]),
  absolute('publish-ws: acknowledged', 'at least', 30_000, '/s', ['publish-ws', 'publishesPerSecond']),
  absolute('resume: CPU per replayed message', 'at most', 5, 'µs', ['resume', 'cpuUsPerMessage']),
  {
    name: 'stalled: p99 of the other readers, relative to before',
    sense: 'at most',
    limit: 1.1,
    unit: '×',
    of: (look) =>
      ratio(look('stalled', 'signalbox', 'p99MsDuring'), look('stalled', 'signalbox', 'p99MsBefore')),
  },
  {
    name: 'stalled: resident memory, relative to before',
    sense: 'at most',
    limit: 1.1,
    unit: '×',
    of: (look) =>
      ratio(
        look('stalled', 'signalbox', 'residentMbDuring'),
        look('stalled', 'signalbox', 'residentMbBefore'),
      ),
  },
  absolute('revocation: p99 to the close, 1,000 connections', 'at most', 20, 'ms', ['revocation', 'p99Ms']),
  ...['cluster-same', 'cluster-burst'].map((part): Target => ({
    name: `${part}: CPU per delivery on a node of two, relative to SQLite`,
    sense: 'at most',
    limit: 1.15,
    unit: '×',
    of: (look) => ratio(look(part, 'nodes-2', CPU, 1), look(part, 'signalbox', CPU, 1)),
  })),
  {
    name: 'cluster-revocation: p99 to the close on the slowest of three nodes',
    sense: 'at most',
    limit: 100,
    unit: 'ms',
    of: (look) => look('cluster-revocation', 'nodes-3', 'worstNodeP99Ms', 1),
  },
  absolute('stalls: longest turn of the event loop', 'at most', 50, 'ms', ['stalls', 'longestMs']),
  absolute('stalls: CPU per purged message', 'at most', 4.5, 'µs', ['stalls', 'purgeCpuUs']),
  deviation('size-single', 'sizes'),
  deviation('channels', 'channel counts'),
];

function ratio(of: number | undefined, to: number | undefined): number | undefined {
  return of === undefined || to === undefined ? undefined : of / to;
}
