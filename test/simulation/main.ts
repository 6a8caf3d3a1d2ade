import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { DEFAULT_EVENING, playEvening } from './run.ts';
import { describeEvening, describeVerdict } from './report.ts';

const HELP = `A busy evening of a group chat, played against a real service and checked against laws 1 to 5 of the design.

  npx tsx test/support/evening/main.ts [--tokens 400] [--channels 20] [--lanes 8] [--minutes 1] [--seed N]

  --tokens    how many there are at a time; who is revoked or expires is replaced (400)
  --channels  of all three types (20)
  --lanes     things that happen side by side (8)
  --minutes   how long it goes on (1)
  --seed      of an evening that is to be played again; the interleaving is the machine's

Service and clients share one process. Ends with status 1 when a law was broken.`;

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '400' },
    channels: { type: 'string', default: String(DEFAULT_EVENING.channels) },
    lanes: { type: 'string', default: String(DEFAULT_EVENING.lanes) },
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
  const evening = await playEvening({ tokens, channels, lanes, minutes, seed });
  for (const [name, figure] of Object.entries(describeEvening(evening))) console.log(`${name}: ${figure}`);
  const verdict = check(evening);
  for (const line of describeVerdict(verdict)) console.log(line);
  process.exitCode = verdict.violations.length === 0 ? 0 : 1;
}
