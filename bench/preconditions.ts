import { existsSync, readdirSync, statSync } from 'node:fs';
import { type Options } from './options.ts';
import { maxOpenFiles } from './process-usage.ts';

/** Files that a process has open besides its sockets, and some to spare. */
const OTHER_FILES = 200;
const MAIN = 'dist/main.js';
const BUILD_INFO = 'dist/.tsbuildinfo';

/** What stands in the way, in sentences. Empty: nothing. */
export function obstacles({ scenarios, effort }: Options): string[] {
  const faults: string[] = [];
  if (process.platform !== 'linux')
    faults.push('The CPU time and memory of servers are read from /proc: Linux only.');
  if (!existsSync(MAIN)) faults.push(`${MAIN} is not there: run “npm run build” first.`);
  const sockets = Math.max(...scenarios.map(({ scenario }) => scenario.sockets(effort)));
  const files = sockets + OTHER_FILES;
  if (process.platform === 'linux' && maxOpenFiles() < files)
    faults.push(
      `A process may open ${maxOpenFiles()} files here; ${files} are needed: run “ulimit -n ${files}” first, or with --quick.`,
    );
  return faults;
}

/** What should be known before anything is believed. */
export function warnings({ contenders }: Options): string[] {
  const missing = contenders.flatMap((contender) => {
    const why = contender.missing?.();
    return why === undefined ? [] : [`Without ${contender.label}: ${why}`];
  });
  return isStale()
    ? [...missing, 'src/ is newer than dist/: “npm run build” first, or the old one is measured.']
    : missing;
}

function isStale(): boolean {
  if (!existsSync(BUILD_INFO)) return false;
  const built = statSync(BUILD_INFO).mtimeMs;
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => statSync(`src/${name}`).mtimeMs > built);
}
