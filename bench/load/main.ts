import { type Job, type Outcome } from '../job.ts';
import { RUNNERS } from '../scenarios/runners.ts';

/** The load generator: a process that runs one job and exits. */
process.once('message', (job: Job) => {
  void run(job);
});
process.on('disconnect', () => process.exit(1));

async function run(job: Job): Promise<void> {
  const answer = await outcomeOf(job).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  process.send?.(answer, () => process.exit(0));
}

async function outcomeOf(job: Job): Promise<Outcome> {
  const scenario = RUNNERS[job.scenario];
  if (!scenario) throw new TypeError(`Unknown scenario ${job.scenario}.`);
  return scenario(job);
}
