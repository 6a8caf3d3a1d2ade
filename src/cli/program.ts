import { Command } from 'commander';
import { DATABASE_URL_ENV, readConfig } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type RevokedCredentialPolicy } from '../maintenance/restore.ts';
import { createOutput } from './remote/output.ts';
import { type RemoteTerminal } from './remote/terminal.ts';
import { describeBackup, describeCheck, describeRestore } from './reports.ts';

/** The parts of the process that the command line uses. */
export interface Terminal extends RemoteTerminal {
  version: string;
  /** Starts the service; resolves when it listens. */
  start: () => Promise<void>;
}

/**
 * The commands that work on this machine; `addRemoteCommands` adds the others. `signalbox` without a command starts the
 * service. Each action loads what it needs, because loading everything takes longer than most commands.
 */
export function createProgram(terminal: Terminal): Command {
  const { env, version, print, now, start, setExitCode } = terminal;
  /** For people, on standard error; with `--json`, the report as one value on standard output. */
  const report = async <Report>(value: Report, describe: (value: Report) => string[], json = false) => {
    if (json) await createOutput(terminal, json).print('', value);
    else describe(value).forEach((line) => print(line));
  };
  const program = new Command('signalbox')
    .description(
      'Realtime channels with tokens. Without a command, the service is started. serve, backup, restore and check work on this machine: settings are read from environment variables (docs/reference/settings.md), and SIGNALBOX_DATA names the data folder. All other commands call a running service, which SIGNALBOX_URL and SIGNALBOX_API_KEY name, or a profile that “signalbox profile write” has written. A new service prints its first API key when it starts.',
    )
    .version(version)
    .showHelpAfterError(
      'Run “signalbox --help” for the commands. The service is set by environment variables, for example PORT=4100.',
    )
    // Thrown instead of an exit, so that the process decides about its exit code. Commands inherit it.
    .exitOverride();
  const dataFolder = () => {
    const { config, secrets } = readConfig(env);
    if (secrets.databaseUrl === undefined) return config.data;
    throw new SignalboxError(
      'BAD_USER_INPUT',
      `The store is in PostgreSQL, not in a data folder: use pg_dump and pg_restore, or unset ${DATABASE_URL_ENV}.`,
    );
  };

  program
    .command('serve', { isDefault: true })
    .alias('start')
    .description('Start the service.')
    // Otherwise commander would report an unknown command as too many arguments of the default one.
    .allowExcessArguments()
    .action((_options: object, { args: [unknown] }: Command) =>
      unknown === undefined ? start() : program.error(`error: unknown command '${unknown}'`),
    );

  program
    .command('backup')
    .description(
      'Copy the store into one file, also while the service runs. The copy is consistent and verified. It does not contain the master key: keep master.key or SIGNALBOX_MASTER_KEY apart from it.',
    )
    .argument('<file>', 'the file to write; its folder must exist')
    .option('--force', 'replace the file if it exists', false)
    .option('--json', JSON_OPTION)
    .action(async (file: string, { force, json }: { force: boolean; json?: true }) => {
      const { backupStore } = await import('../maintenance/backup.ts');
      await report(backupStore({ data: dataFolder(), file, force }), describeBackup, json);
    });

  program
    .command('restore')
    .description(
      'Put a backup in place of the store; stop the service first. Revocations, bans and ended keys are taken over from the replaced store, so that no revoked credential works again. The replaced store is kept.',
    )
    .argument('<file>', 'a file that “signalbox backup” wrote')
    .option(
      '--revoke-issued-before <time>',
      'instead of taking revocations over: refuse every credential issued before this time (RFC 3339, or “now”)',
    )
    .option(
      '--accept-revoked-credentials',
      'instead of taking revocations over: accept that revoked credentials work again',
      false,
    )
    .option('--json', JSON_OPTION)
    .action(async (file: string, options: RestoreOptions) => {
      const { restoreStore } = await import('../maintenance/restore.ts');
      const decision = parseDecision(options, now(), (message) => program.error(message));
      const restored = await restoreStore({ data: dataFolder(), file, decision, now: now() });
      await report(restored, describeRestore, options.json);
    });

  program
    .command('check')
    .description(
      'Read the whole store and report damage by table and channel. Changes nothing; works while the service runs. Exit code 1 when there is damage.',
    )
    .option('--json', JSON_OPTION)
    .action(async ({ json }: { json?: true }) => {
      const { checkStore } = await import('../maintenance/check.ts');
      const found = checkStore(dataFolder());
      if (found.damage.length > 0) setExitCode(1);
      await report(found, describeCheck, json);
    });

  return program;
}

const JSON_OPTION = 'print the report as one JSON value on standard output';

interface RestoreOptions {
  json?: true;
  revokeIssuedBefore?: string;
  acceptRevokedCredentials: boolean;
}

function parseDecision(
  { revokeIssuedBefore, acceptRevokedCredentials }: RestoreOptions,
  now: number,
  fail: (message: string) => never,
): RevokedCredentialPolicy {
  if (revokeIssuedBefore !== undefined && acceptRevokedCredentials)
    return fail('--revoke-issued-before and --accept-revoked-credentials are mutually exclusive.');
  if (acceptRevokedCredentials) return { kind: 'ACCEPT_REVOKED' };
  if (revokeIssuedBefore === undefined) return { kind: 'CARRY_OVER' };
  const epochMs = revokeIssuedBefore === 'now' ? now : Date.parse(revokeIssuedBefore);
  if (Number.isNaN(epochMs))
    return fail('--revoke-issued-before takes “now” or a time such as 2030-01-31T12:00:00Z.');
  if (epochMs > now) return fail('--revoke-issued-before must not be in the future.');
  return { kind: 'REVOKE_ISSUED_BEFORE', epochMs };
}
