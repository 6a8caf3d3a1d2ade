import { parseArgs } from 'node:util';
import { FAULTS } from './nemesis.ts';
import { torture } from './run.ts';
import { SABOTAGES, type Sabotage } from './sabotage.ts';

const HELP = `Kills, pauses and cuts off the nodes of a cluster, and checks that no acknowledged message is lost or repeated.

  npm run torture -- [--minutes 5] [--seed N] [--nodes 3] [--longest-stop 20] [--faults A,B] [--standby KIND] [--sabotage NAME]

Needs PostgreSQL and the built service (npm run build). Exits with status 1 if a guarantee is violated.

--longest-stop is the longest pause of a process, in seconds.
--faults names the faults to choose from: ${FAULTS.join(', ')}.
--standby synchronous or asynchronous also promotes standbys of that kind.
--sabotage takes a safeguard away from a copy of the service, and the checker must find that: then the status is 1.
Names: ${Object.keys(SABOTAGES).join(', ')}.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    nodes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    'longest-stop': { type: 'string', default: '20' },
    sabotage: { type: 'string' },
    standby: { type: 'string' },
    faults: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const sabotages: Readonly<Record<string, Sabotage>> = SABOTAGES;
const sabotage = values.sabotage === undefined ? undefined : sabotages[values.sabotage];

const KINDS = ['synchronous', 'asynchronous'] as const;
const standby = KINDS.find((kind) => kind === values.standby);

if (values.help) console.log(HELP);
else if (values.sabotage !== undefined && !sabotage) {
  console.error(`There is no sabotage “${values.sabotage}”. Names: ${Object.keys(SABOTAGES).join(', ')}.`);
  process.exitCode = 2;
} else {
  console.log(`seed ${values.seed}`);
  const startedAt = performance.now();
  // The child process of PostgreSQL does not keep this one alive while its end is awaited.
  setInterval(() => undefined, 1000);
  const { violations, faults, ...figures } = await torture({
    seed: Number(values.seed),
    durationMs: Number(values.minutes) * 60_000,
    nodes: Number(values.nodes),
    sabotage,
    standby,
    faults: sabotage?.faults ?? FAULTS.filter((fault) => values.faults?.split(',').includes(fault) ?? true),
    longestStopMs: Number(values['longest-stop']) * 1000,
    // Without a fault in between, a safeguard is not needed.
    longestQuietMs: sabotage ? 1000 : 4000,
    report: (line) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${line}`),
  });
  for (const [name, figure] of Object.entries({ ...figures, ...faults })) console.log(`${name}: ${figure}`);
  // A few of each client: one fault can make thousands of violations.
  const byClient = new Map<string, string[]>();
  for (const violation of violations) {
    const [client = ''] = violation.split(':', 1);
    byClient.set(client, [...(byClient.get(client) ?? []), violation]);
  }
  for (const [client, own] of byClient) {
    for (const violation of own.slice(0, 3)) console.log(violation);
    if (own.length > 3) console.log(`${client}: ${own.length - 3} more`);
  }
  console.log(`violations: ${violations.length}`);
  process.exit(violations.length === 0 ? 0 : 1);
}
