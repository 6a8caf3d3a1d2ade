import { parseArgs } from 'node:util';
import { torture } from './run.ts';

const HELP = `Kills, pauses and cuts off the nodes of a cluster, and checks that no acknowledged message is lost or repeated.

  npm run torture -- [--minutes 5] [--seed N] [--nodes 3]

Needs PostgreSQL and the built service (npm run build). Exits with status 1 if a guarantee is violated.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    nodes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else {
  console.log(`seed ${values.seed}`);
  const startedAt = performance.now();
  // The child process of PostgreSQL does not keep this one alive while its end is awaited.
  setInterval(() => undefined, 1000);
  const { violations, faults, ...figures } = await torture({
    seed: Number(values.seed),
    durationMs: Number(values.minutes) * 60_000,
    nodes: Number(values.nodes),
    longestStopMs: 20_000,
    longestQuietMs: 4000,
    report: (line) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${line}`),
  });
  for (const [name, figure] of Object.entries({ ...figures, ...faults })) console.log(`${name}: ${figure}`);
  for (const violation of violations.slice(0, 50)) console.log(violation);
  console.log(`violations: ${violations.length}`);
  process.exit(violations.length === 0 ? 0 : 1);
}
