import { type Command } from 'commander';
import { report, type Check } from './checks.ts';
import { addCommand, openSession, runToEnd, type CommonOptions, type Session } from './command.ts';
import { UsageError } from './errors.ts';
import { type Output } from './output.ts';
import { serviceChecks } from './service-checks.ts';
import { type RemoteTerminal } from './terminal.ts';
import { checkWebSocket } from './websocket-check.ts';

interface DoctorOptions extends CommonOptions {
  origin?: string;
  local?: true;
}

/** `doctor`. */
export function addDoctorCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'doctor',
    'Check a service from here, through all proxies: address, readiness, clock, API key, client address, event streams, WebSocket and origin. Exit code 1 when a check fails.',
  )
    .option('--origin <origin>', 'check that a page of this origin may connect; default: that of the address')
    .option(
      '--local',
      'check this machine instead, for a service that starts here: settings, open files, data folder, free space, master key and store',
    )
    .action(async ({ origin, local, ...common }: DoctorOptions) => {
      const session = openSession(terminal, common);
      if (local && origin !== undefined) throw new UsageError('--local and --origin are mutually exclusive.');
      const isWell = await runToEnd(session, (print) =>
        local ? checkMachine(session, print) : checkService(session, origin, print),
      );
      if (!isWell) terminal.setExitCode(1);
    });
}

async function checkMachine({ terminal }: Session, print: Output['print']): Promise<boolean> {
  let isWell = true;
  for await (const check of terminal.checkMachine()) if (!(await report(print, check))) isWell = false;
  return isWell;
}

async function checkService(
  session: Session,
  origin: string | undefined,
  print: Output['print'],
): Promise<boolean> {
  const { address, terminal } = session;
  const base = new URL(address.url);
  const [reachable, ...others] = serviceChecks(session, base);
  if (reachable && !(await report(print, reachable))) {
    terminal.print('The other checks need an answer of the service, so they were not run.');
    return false;
  }
  const checks: Check[] = [
    ...others,
    ['WebSocket', () => checkWebSocket(base, address.apiKey, undefined)],
    ['origin', () => checkWebSocket(base, address.apiKey, origin ?? base.origin)],
  ];
  let isWell = true;
  for (const check of checks) if (!(await report(print, check))) isWell = false;
  return isWell;
}
