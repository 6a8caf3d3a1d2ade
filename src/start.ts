import { CommanderError } from 'commander';
import { createProgram, type Terminal } from './cli/program.ts';
import { OutputClosed } from './cli/remote/terminal.ts';
import { systemClock } from './clock.ts';
import { ConfigError, readConfig } from './config.ts';
import { createFolder } from './create-folder.ts';
import { SignalboxError } from './errors.ts';
import { listenProblem, moduleProblem } from './machine.ts';
import { type Service } from './service.ts';
import { VERSION } from './version.ts';

/** Prints to standard error, for the person at the terminal. The structured log goes to standard output. */
function print(...lines: string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}

function exitWithError(message: string): never {
  print(message);
  process.exit(1);
}

function printWelcome({ url, firstApiKey, warnings }: Service, console: boolean): void {
  print(
    ...warnings.map((warning) => `Warning: ${warning}`),
    `Signalbox listens on ${url}/graphql`,
    ...(firstApiKey ? [`API key (shown this once): ${firstApiKey}`] : []),
    console ? `Next: open ${url}/console in a browser` : `Next: send a POST request to ${url}/graphql`,
  );
}

/** How often the process that started the service is looked for. */
const PARENT_CHECK_MS = 500;
/** Read before the service starts, because the parent may end meanwhile. */
const PARENT = process.ppid;

/**
 * npx starts the service through a shell, which ends at a SIGTERM without passing it on; and npm cannot pass on a SIGKILL. The
 * service would stay behind unnoticed, with its port and its data folder. Other parents may end: they may have started a daemon.
 */
function onParentEnded(listener: () => void): void {
  const { npm_lifecycle_event: script, npm_package_name: packageName } = process.env;
  if (script !== 'npx' && !(script === 'start' && packageName === 'signalbox')) return;
  const timer = setInterval(() => {
    if (process.ppid === PARENT) return;
    clearInterval(timer);
    print('The process that started the service has ended: the service ends, too.');
    listener();
  }, PARENT_CHECK_MS).unref();
}

async function start(): Promise<void> {
  const { config, secrets, warnings } = readConfig(process.env);
  warnings.forEach((warning) => print(warning));
  // Loaded here, because most commands do without the service and should start at once.
  const { startService } = await import('./service.ts');
  const service = await startService(config, secrets);
  printWelcome(
    service,
    config.console === 'on' || (config.console === 'auto' && config.mode !== 'production'),
  );

  let isDraining = false;
  const announceDrain = (): void => {
    service.announceDrain();
    setTimeout(drain, config.drainDelayMs);
  };
  const drain = (): void => {
    if (isDraining) return;
    isDraining = true;
    // Acknowledged messages are on disk, so exiting with open requests after the deadline loses nothing.
    setTimeout(() => process.exit(0), config.drainTimeoutMs).unref();
    service[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => exitWithError(`The service failed to shut down cleanly: ${String(error)}`),
    );
  };
  process.on('SIGTERM', announceDrain);
  process.on('SIGINT', drain);
  onParentEnded(announceDrain);
}

// A terminal or pipe that is gone must not end the service.
process.stderr.on('error', () => undefined);

/** Writes a line of a result. */
function write(line: string): Promise<void> {
  // Added with the first line only, because a service that logs to the same descriptor must find it unchanged.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === 'EPIPE') reject(new OutputClosed());
      else reject(new SignalboxError('UNAVAILABLE', `Standard output cannot be written: ${error.message}`));
    });
  });
}

let isInterrupted = false;

/** Replaces the line at the cursor, so that the next update or message takes its place. */
const showProgress = (text: string) => process.stderr.write(`\r\u001b[K${text}`);

const terminal: Terminal = {
  env: process.env,
  version: VERSION,
  print,
  write,
  readInput: () => process.stdin as AsyncIterable<Buffer>,
  showProgress: process.stderr.isTTY ? showProgress : undefined,
  onInterrupt(listener) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        isInterrupted = true;
        listener();
      });
  },
  now: systemClock.now,
  async *checkMachine() {
    const { machineChecks } = await import('./maintenance/machine-checks.ts');
    yield* machineChecks(process.env);
  },
  createFolder,
  start,
  setExitCode: (code) => (process.exitCode = code),
};

/** Runs the command of the command line; without one, starts the service. */
async function run(): Promise<void> {
  const program = createProgram(terminal);
  const [, , word] = process.argv;
  const isLocal =
    word === undefined ||
    word === '--version' ||
    program.commands.some((command) => command.name() === word || command.aliases().includes(word));
  // The SDKs that the other commands use take half a second to load, which the start of the service need not wait for.
  if (!isLocal) (await import('./cli/remote/remote-commands.ts')).addRemoteCommands(program, terminal);
  await program.parseAsync();
}

async function report(error: unknown): Promise<void> {
  if (error instanceof CommanderError) {
    // Printed by commander already; help and version end with 0.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  if (error instanceof OutputClosed) return;
  // First, because the store reports the cause as a problem of the data folder.
  const missing = moduleProblem(error, process.versions.node);
  if (missing !== undefined) exitWithError(missing);
  if (error instanceof ConfigError || error instanceof SignalboxError) exitWithError(error.message);
  const listening = listenProblem(error);
  if (listening !== undefined) exitWithError(listening);
  const { exitCodeOf, remedyOf } = await import('./cli/remote/errors.ts');
  const exitCode = exitCodeOf(error);
  if (exitCode !== undefined) {
    const { message, code } = error as { message: string; code?: string };
    const remedy = remedyOf(error);
    print(code === undefined ? message : `${message} (${code})`, ...(remedy === undefined ? [] : [remedy]));
    process.exitCode = exitCode;
    return;
  }
  exitWithError(
    `Signalbox could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
}

void run()
  .catch(report)
  .then(() => {
    // A line that nobody reads would keep the process alive.
    if (isInterrupted) process.exit();
  });
