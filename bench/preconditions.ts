import { existsSync, readdirSync, statSync } from 'node:fs';
import { type Options } from './options.ts';
import { maxOpenFiles } from './process-usage.ts';

/** Files that a process has open besides its sockets, with some reserve. */
const OTHER_FILES = 200;
const MAIN = 'dist/main.js';
const BUILD_INFO = 'dist/.tsbuildinfo';

/** The preconditions that are not met, one sentence each. */
export function unmetPreconditions({ scenarios, workload }: Options): string[] {
  const messages: string[] = [];
  if (process.platform !== 'linux')
    messages.push(
      'The benchmark runs on Linux only: it reads the CPU time and memory of the servers from /proc.',
    );
  if (!existsSync(MAIN)) messages.push(`${MAIN} does not exist. Run “npm run build” first.`);
  const sockets = Math.max(...scenarios.map(({ scenario }) => scenario.sockets(workload)));
  const files = sockets + OTHER_FILES;
  if (process.platform === 'linux' && maxOpenFiles() < files)
    messages.push(
      `A process may open ${maxOpenFiles()} files; ${files} are needed. Run “ulimit -n ${files}” first, or use --quick.`,
    );
  return messages;
}

/** Warnings that limit the validity of the results. */
export function warnings({ contenders }: Options): string[] {
  const missing = contenders.flatMap((contender) => {
    const reason = contender.missing?.();
    return reason === undefined ? [] : [`${contender.label} does not take part: ${reason}`];
  });
  return isStale()
    ? [
        ...missing,
        'src/ is newer than dist/. Run “npm run build” first; otherwise the old build is measured.',
      ]
    : missing;
}

function isStale(): boolean {
  if (!existsSync(BUILD_INFO)) return false;
  const built = statSync(BUILD_INFO).mtimeMs;
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => statSync(`src/${name}`).mtimeMs > built);
}
