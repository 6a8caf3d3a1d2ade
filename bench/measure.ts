import { fork } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from './compile.ts';
import { type Contender } from './contender.ts';
import { type Job, type Outcome } from './job.ts';

const TIMEOUT_MS = 240_000;

/** Starts a server, runs one job of a load generator against it, and stops both. Rejects if a delivery is missing. */
export async function measure(
  contender: Contender,
  job: Omit<Job, 'endpoint'>,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  await using server = await contender.start(env);
  const generator = fork(compiled('load/main.ts'), {
    execArgv: [],
    // The default JSON serialization loses Infinity and NaN.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const kill = () => generator.kill('SIGKILL');
  process.on('exit', kill);
  const timeout = setTimeout(kill, TIMEOUT_MS);
  try {
    const exited = once(generator, 'exit').then(() => ({
      error: 'The load generator exited without a result.',
    }));
    const answered = once(generator, 'message').then(([answer]) => answer as Answer);
    generator.send({ ...job, endpoint: server.endpoint } satisfies Job);
    const answer = await Promise.race([answered, exited]);
    if ('error' in answer) throw new Error(answer.error);
    await exited;
    return answer.outcome;
  } finally {
    clearTimeout(timeout);
    process.off('exit', kill);
    kill();
  }
}

type Answer = { outcome: Outcome } | { error: string };
