import { fork } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from './compile.ts';
import { type Contender } from './contender.ts';
import { type Job, type Outcome } from './job.ts';

const TOO_LONG_MS = 240_000;

/** Starts a server, lets a load generator do one job to it, and stops both. Fails when a delivery is missing. */
export async function measure(
  contender: Contender,
  job: Omit<Job, 'endpoint'>,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  await using server = await contender.start(env);
  const generator = fork(compiled('load/main.ts'), {
    execArgv: [],
    // Infinity and NaN are no JSON.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const kill = () => generator.kill('SIGKILL');
  process.on('exit', kill);
  const impatient = setTimeout(kill, TOO_LONG_MS);
  try {
    const exited = once(generator, 'exit').then(() => ({ error: 'The load generator ended early.' }));
    const answered = once(generator, 'message').then(([answer]) => answer as Answer);
    generator.send({ ...job, endpoint: server.endpoint } satisfies Job);
    const answer = await Promise.race([answered, exited]);
    if ('error' in answer) throw new Error(answer.error);
    await exited;
    return answer.outcome;
  } finally {
    clearTimeout(impatient);
    process.off('exit', kill);
    kill();
  }
}

type Answer = { outcome: Outcome } | { error: string };
