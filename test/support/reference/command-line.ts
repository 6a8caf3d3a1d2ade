import { type Command } from 'commander';
import { createProgram, type Terminal } from '../../../src/cli/program.ts';
import { addRemoteCommands } from '../../../src/cli/remote/remote-commands.ts';
import { EXIT_CODES } from '../../../src/cli/remote/errors.ts';

const nothing = () => undefined;

/** The program, as it is documented: nothing of it is executed. */
function createDocumentedProgram(): Command {
  const terminal: Terminal = {
    env: {},
    version: '',
    print: nothing,
    write: () => Promise.resolve(),
    readInput: () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
    }),
    showProgress: undefined,
    onInterrupt: nothing,
    now: () => 0,
    checkMachine: () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
    }),
    start: () => Promise.resolve(),
    createFolder: nothing,
    setExitCode: nothing,
  };
  const program = createProgram(terminal);
  addRemoteCommands(program, terminal);
  return program;
}

/** A command with everything below it, depth first. */
function listCommands(command: Command, title = 'signalbox'): { title: string; command: Command }[] {
  const below = command.commands.filter((one) => one.name() !== 'help');
  return [{ title, command }, ...below.flatMap((one) => listCommands(one, `${title} ${one.name()}`))];
}

/** What \`--help\` prints for a command. */
function printHelp(command: Command): string {
  let text = '';
  command
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ writeOut: (part) => (text += part) })
    .outputHelp();
  return text.trim();
}

/** Prints the help of the command line, as \`--help\` shows it. */
export function printCommandLine(): string {
  const help = listCommands(createDocumentedProgram())
    .filter(({ title }) => title !== 'signalbox serve')
    .map(({ title, command }) => `## \`${title}\`\n\n\`\`\`text\n${printHelp(command)}\n\`\`\``);
  const exitCodes = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return [
    '# Command line',
    'After `npm ci` in this folder, `node dist/main.js` is the command; `npx signalbox` is the same. The [guide](../guides/command-line.md) shows how it is used. Printed from the source by `npm run schema`.',
    '## Exit codes',
    ['| code | meaning |', '| --- | --- |', ...exitCodes].join('\n'),
    ...help,
  ]
    .join('\n\n')
    .concat('\n');
}
