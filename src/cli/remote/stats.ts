import { type Stats } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, openSession, type CommonOptions } from './command.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseInteger } from './values.ts';

type Counts = Stats['totals'];
type Sample = Stats['series'][number];

const listRefusals = ({ refusals }: Counts): string =>
  refusals.map(({ code, count }) => `${code} ${count}`).join(', ');
const countRefusals = ({ refusals }: Counts): string =>
  String(refusals.reduce((sum, { count }) => sum + count, 0));

const NOW: Columns<Stats> = [
  ['NODE', ({ node }) => node],
  ['SINCE', ({ startedAt }) => startedAt],
  ['PROJECT', ({ project }) => project ?? 'all'],
  ['CONNECTIONS', ({ connections }) => connections],
  ['PUBLISHES', ({ totals }) => totals.publishes],
  ['DELIVERIES', ({ totals }) => totals.deliveries],
  ['REPLAYS', ({ totals }) => totals.replays],
  ['GAPS', ({ totals }) => totals.gaps],
  ['SLOW CONSUMERS', ({ totals }) => totals.slowConsumers],
  ['REFUSALS', ({ totals }) => listRefusals(totals)],
  ['STORE BYTES', ({ store }) => store && store.databaseBytes + store.walBytes],
  ['STORE MESSAGES', ({ store }) => store?.messages],
];

const STEP: Columns<Sample> = [
  ['END OF STEP', ({ at }) => at],
  ['CONNECTIONS', ({ connections }) => connections],
  ['PUBLISHES', ({ counts }) => counts.publishes],
  ['DELIVERIES', ({ counts }) => counts.deliveries],
  ['REPLAYS', ({ counts }) => counts.replays],
  ['GAPS', ({ counts }) => counts.gaps],
  ['SLOW', ({ counts }) => counts.slowConsumers],
  ['REFUSALS', ({ counts }) => countRefusals(counts)],
  ['LOOP LAG MS', ({ process: figures }) => figures && Math.round(figures.loopLagMs)],
];

const MINUTES_OF_SERIES = 60;

/** `stats`. */
export function addStatsCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'stats',
    'Show connections, publishes, deliveries, refusals and gaps of the node that answers, since its start.',
  )
    .option('--minutes <number>', 'show the last minutes in steps of 10 seconds instead: 1–60')
    .option('--project <project>', 'with the operator’s key: one project (default: all)')
    .action(async (options: CommonOptions & { minutes?: string; project?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const stats = await signalbox.stats({ project: options.project });
      if (options.minutes === undefined) return output.one(stats, NOW);
      const minutes = parseInteger('--minutes', options.minutes, 1, MINUTES_OF_SERIES);
      // By the clock of the service: the one of this machine may differ.
      const from = Date.parse(stats.at) - minutes * 60_000;
      await output.list(
        stats.series.filter(({ at }) => Date.parse(at) > from),
        STEP,
      );
    });
}
