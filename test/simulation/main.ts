import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { DEFAULT_OPTIONS, runSimulation } from './run.ts';
import { describeSimulation, describeResult } from './report.ts';

const HELP = `Simulates a busy group chat against a real service and checks laws 1 to 5 of docs/architecture.md.

  npx tsx test/simulation/main.ts [--tokens 400] [--channels 20] [--lanes 8] [--minutes 1] [--seed N]

  --tokens    number of tokens; a token that is revoked or expires is replaced (400)
  --channels  number of channels, of all three types (20)
  --lanes     number of concurrent sequences of steps (8)
  --minutes   duration (1)
  --seed      repeats the steps of an earlier simulation; their interleaving may differ

The service and the clients share one process. Exits with status 1 if a law is violated.`;

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '400' },
    channels: { type: 'string', default: String(DEFAULT_OPTIONS.channels) },
    lanes: { type: 'string', default: String(DEFAULT_OPTIONS.lanes) },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else {
  const [tokens, channels, lanes, minutes, seed] = [
    Number(values.tokens),
    Number(values.channels),
    Number(values.lanes),
    Number(values.minutes),
    Number(values.seed),
  ];
  console.log(`seed ${seed}`);
  const record = await runSimulation({ tokens, channels, lanes, minutes, seed });
  for (const [name, figure] of Object.entries(describeSimulation(record))) console.log(`${name}: ${figure}`);
  const result = check(record);
  for (const line of describeResult(result)) console.log(line);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
}
