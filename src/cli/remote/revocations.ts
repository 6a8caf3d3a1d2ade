import { type Revocation, type RevocationTarget } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseTime } from './values.ts';

const ROW: Columns<Revocation> = [
  ['SCOPE', ({ scope }) => scope],
  ['IDENTITY', ({ identity }) => identity],
  ['ISSUER', ({ issuer }) => issuer],
  ['ISSUED BEFORE', ({ issuedBefore }) => issuedBefore],
  ['CREATED', ({ createdAt }) => createdAt],
];

interface TargetOptions extends CommonOptions {
  identity?: string;
  issuer?: string;
  all?: true;
}

const addTarget = (command: Command) =>
  command
    .option('--identity <identity>', 'the credentials of this identity')
    .option('--issuer <issuer>', 'the credentials of this issuer, or of this API key')
    .option('--all', 'all credentials of the project');

/** `revocation create|list|undo`. */
export function addRevocationCommands(program: Command, terminal: RemoteTerminal): void {
  const revocation = addGroup(
    program,
    'revocation',
    'Revoke the credentials of an identity, an issuer or the whole project, and undo it.',
  );

  addTarget(
    addCommand(
      revocation,
      'create',
      'Refuse credentials that were issued before now, and close their connections. Newer ones are accepted.',
    ),
  )
    .option('--issued-before <time>', 'in place of now: a time in the past, such as 2025-01-31T12:00:00Z')
    .action(async ({ issuedBefore, ...options }: TargetOptions & { issuedBefore?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const revoked = await signalbox.revokeTokens({
        ...toTarget(options),
        issuedBefore: issuedBefore === undefined ? undefined : parseTime(issuedBefore),
      });
      const { connections } = revoked;
      await output.print(
        `Revoked; closed ${connections} ${connections === 1 ? 'connection' : 'connections'}.`,
        revoked,
      );
    });

  addCommand(revocation, 'list', 'List the revocations that were not undone.').action(
    async (common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.list(signalbox.listRevocations(), ROW);
    },
  );

  addTarget(
    addCommand(revocation, 'undo', 'Accept the revoked credentials again, if they have not expired.'),
  ).action(async (options: TargetOptions) => {
    const { signalbox, output } = openSession(terminal, options);
    const undone = await signalbox.restoreTokens(toTarget(options));
    await output.print(undone ? 'The revocation is undone.' : 'There was no revocation.', undone);
  });
}

/** Exactly one target. */
function toTarget({ identity, issuer, all }: TargetOptions): RevocationTarget {
  const given = [identity, issuer, all].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (identity !== undefined) return { identity };
    if (issuer !== undefined) return { issuer };
    if (all !== undefined) return { all };
  }
  throw new UsageError('Pass exactly one of --identity, --issuer and --all.');
}
