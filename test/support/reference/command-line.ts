import { createProgram } from '../../../src/cli/program.ts';

/** Prints the help of the command line, as `--help` shows it. */
export function printCommandLine(): string {
  const program = createProgram({
    env: {},
    version: '',
    print: () => undefined,
    now: () => 0,
    start: () => Promise.resolve(),
    setExitCode: () => undefined,
  }).configureHelp({ helpWidth: 100 });
  const help = [program, ...program.commands.filter((command) => command.name() !== 'start')].map(
    (command) => {
      const title = command === program ? 'signalbox' : `signalbox ${command.name()}`;
      const text = command.configureHelp({ helpWidth: 100 }).helpInformation().trim();
      return `## \`${title}\`\n\n\`\`\`text\n${text}\n\`\`\``;
    },
  );
  return [
    '# Command line',
    'After `npm ci` in this folder, `node dist/main.js` is the command; `npx signalbox` is the same. Printed from the source by `npm run schema`.',
    ...help,
    '',
  ]
    .join('\n\n')
    .replace(/\n\n$/, '\n');
}
