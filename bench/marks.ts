/** Looks up a value of one round; undefined where it was not measured. */
export type Lookup = (part: string, contender: string, key: string, variant?: number) => number | undefined;

/** What Signalbox is to reach, computed round by round from what was measured side by side. */
export interface Mark {
  readonly name: string;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: '×' | 'KB' | 'µs' | 'ms' | '/s' | '%';
  /** Hoped for: it fails nobody. */
  readonly isDream?: boolean;
  /** @param variantsOf the sizes that a part was measured with. */
  of(look: Lookup, variantsOf: (part: string) => readonly number[]): number | undefined;
}

const CPU = 'cpuUsPerDelivery';

/** How much of another's cost is ours. */
function costBeside(part: string, peer: string, limit: number, ours = 'signalbox'): Mark {
  const name = `${part}: CPU per delivery${ours === 'signalbox' ? '' : ' with UUID ids'}, beside ${peer}`;
  return {
    name,
    sense: 'at most',
    limit,
    unit: '×',
    of: (look) => ratio(look(part, ours, CPU), look(part, peer, CPU)),
  };
}

/** How many times our cost another's is. */
function aheadOf(part: string, peer: string, limit: number): Mark {
  return {
    name: `${part}: deliveries per CPU, ahead of ${peer}`,
    sense: 'at least',
    limit,
    unit: '×',
    of: (look) => ratio(look(part, peer, CPU), look(part, 'signalbox', CPU)),
  };
}

function value(
  name: string,
  sense: Mark['sense'],
  limit: number,
  unit: Mark['unit'],
  [part, key]: readonly [string, string],
): Mark {
  return { name, sense, limit, unit, of: (look) => look(part, 'signalbox', key) };
}

function beside(
  name: string,
  sense: Mark['sense'],
  limit: number,
  [part, key, peer]: readonly [string, string, string],
): Mark {
  return {
    name,
    sense,
    limit,
    unit: '×',
    of: (look) => ratio(look(part, 'signalbox', key), look(part, peer, key)),
  };
}

/** How far from the middle between the cheapest and the dearest of all sizes they lie, in per cent. */
function flat(part: string, what: string): Mark {
  return {
    name: `${part}: CPU per delivery flat ${what}, ±`,
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

export const MARKS: readonly Mark[] = [
  costBeside('fanout-single', 'raw-ws', 0.85),
  costBeside('fanout-single', 'nchan', 1.1),
  costBeside('fanout-burst', 'raw-ws', 0.1),
  costBeside('fanout-burst', 'nchan', 1),
  costBeside('fanout-burst', 'raw-ws', 0.3, 'signalbox-uuid'),
  {
    ...value('fanout-burst: deliveries per second of CPU', 'at least', 1_000_000, '/s', [
      'fanout-burst',
      'deliveriesPerCpuSecond',
    ]),
    isDream: true,
  },
  aheadOf('fanout-single', 'yoga', 7),
  aheadOf('fanout-burst', 'yoga', 50),
  aheadOf('fanout-single', 'apollo', 5),
  aheadOf('fanout-burst', 'apollo', 40),
  aheadOf('fanout-single', 'mercurius', 5),
  aheadOf('fanout-burst', 'mercurius', 40),
  value('memory: per connection', 'at most', 12, 'KB', ['memory', 'kbPerConnection']),
  beside('memory: beside socket-io', 'at most', 1, ['memory', 'kbPerConnection', 'socket-io']),
  beside('memory: beside raw-ws', 'at most', 1.6, ['memory', 'kbPerConnection', 'raw-ws']),
  value('connect: CPU, token verified, one subscription', 'at most', 400, 'µs', [
    'connect',
    'cpuUsPerConnect',
  ]),
  value('publish-http: acknowledged', 'at least', 12_000, '/s', ['publish-http', 'publishesPerSecond']),
  beside('publish-http: ahead of yoga', 'at least', 3, ['publish-http', 'publishesPerSecond', 'yoga']),
  value('publish-ws: acknowledged', 'at least', 30_000, '/s', ['publish-ws', 'publishesPerSecond']),
  value('resume: CPU per replayed message', 'at most', 5, 'µs', ['resume', 'cpuUsPerMessage']),
  {
    name: 'stalled: p99 of the others, beside before',
    sense: 'at most',
    limit: 1.1,
    unit: '×',
    of: (look) =>
      ratio(look('stalled', 'signalbox', 'p99MsDuring'), look('stalled', 'signalbox', 'p99MsBefore')),
  },
  {
    name: 'stalled: resident memory, beside before',
    sense: 'at most',
    limit: 1.1,
    unit: '×',
    of: (look) =>
      ratio(
        look('stalled', 'signalbox', 'residentMbDuring'),
        look('stalled', 'signalbox', 'residentMbBefore'),
      ),
  },
  value('revocation: p99 to the close, 1,000 connections', 'at most', 20, 'ms', ['revocation', 'p99Ms']),
  flat('size-single', 'from 100 subscribers to the most'),
  flat('channels', 'from 1 channel per connection to the most'),
];

function ratio(of: number | undefined, to: number | undefined): number | undefined {
  return of === undefined || to === undefined ? undefined : of / to;
}
