import { type Restriction } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, openSession, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { type Columns } from './output.ts';
import { parseRecipient, type RecipientOptions } from './publish.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseDuration, parseTarget, parseTime } from './values.ts';

interface TargetOptions extends CommonOptions {
  token?: string;
  identity?: string;
  channel?: string;
}

interface RestrictionOptions extends TargetOptions {
  until?: string;
  for?: string;
  reason?: string;
}

const addTarget = (command: Command) =>
  command
    .option('--token <token>', 'the token')
    .option('--identity <identity>', 'the identity, with its present and future tokens');

const addTerm = (command: Command) =>
  command
    .option('--for <duration>', 'how long, such as 90s, 15m, 12h or 30d (default: until it is lifted)')
    .option('--until <time>', 'in place of --for: the time of the end, such as 2030-01-31T12:00:00Z')
    .option('--reason <text>', 'the reason that the client is shown');

const RESTRICTION: Columns<Restriction> = [
  ['KIND', ({ kind }) => kind],
  ['CHANNEL', ({ channel }) => channel ?? 'all'],
  ['TOKEN', ({ token }) => token],
  ['IDENTITY', ({ identity }) => identity],
  ['UNTIL', ({ until }) => until],
  ['REASON', ({ reason }) => reason],
];

/** `mute`, `unmute`, `ban`, `unban`, `restrictions` and `disconnect`. */
export function addModerationCommands(program: Command, terminal: RemoteTerminal): void {
  const { now } = terminal;
  const mute = addCommand(program, 'mute', 'Take PUBLISH away from a token or an identity.');
  addTerm(addTarget(mute).option('--channel <channel>', 'the channel (default: all channels)')).action(
    async (options: RestrictionOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { channel, reason } = options;
      const target = parseTarget(options);
      const restriction = await signalbox.mute({
        ...target,
        channel,
        reason,
        until: parseTerm(options, now()),
      });
      await output.print(`Muted until ${restriction.until ?? 'the mute is lifted'}.`, restriction);
    },
  );

  addTarget(addCommand(program, 'unmute', 'Lift a mute.'))
    .option('--channel <channel>', 'the channel (default: the mute of all channels)')
    .action(async (options: TargetOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const lifted = await signalbox.unmute({ ...parseTarget(options), channel: options.channel });
      await output.print(lifted ? 'The mute is lifted.' : 'There was no mute.', lifted);
    });

  const ban = addCommand(program, 'ban', 'Take all actions in a channel away from a token or an identity.');
  addTerm(addTarget(ban).requiredOption('--channel <channel>', 'the channel')).action(
    async (options: RestrictionOptions & { channel: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const { channel, reason } = options;
      const target = parseTarget(options);
      const restriction = await signalbox.ban({
        ...target,
        channel,
        reason,
        until: parseTerm(options, now()),
      });
      await output.print(`Banned until ${restriction.until ?? 'the ban is lifted'}.`, restriction);
    },
  );

  addTarget(addCommand(program, 'unban', 'Lift a ban.'))
    .requiredOption('--channel <channel>', 'the channel')
    .action(async (options: TargetOptions & { channel: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const lifted = await signalbox.unban({ ...parseTarget(options), channel: options.channel });
      await output.print(lifted ? 'The ban is lifted.' : 'There was no ban.', lifted);
    });

  addCommand(program, 'restrictions', 'List the mutes and bans that apply now, oldest first.')
    .option('--channel <channel>', 'only those in this channel')
    .action(async ({ channel, ...common }: CommonOptions & { channel?: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.list(signalbox.listRestrictions({ channel }), RESTRICTION);
    });

  addTarget(addCommand(program, 'disconnect', 'Close live connections. Their tokens stay valid.'))
    .option('--connection <connection>', 'one connection')
    .option('--channel <channel>', 'only connections in this channel')
    .option('--reason <text>', 'the reason that the client is shown')
    .action(async (options: CommonOptions & RecipientOptions & { channel?: string; reason?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const { channel, reason } = options;
      const closed = await signalbox.disconnect({ ...parseRecipient(options), channel, reason });
      await output.print(`Closed ${closed} ${closed === 1 ? 'connection' : 'connections'}.`, closed);
    });
}

function parseTerm({ for: duration, until }: RestrictionOptions, now: number): Date | undefined {
  if (duration !== undefined && until !== undefined) throw new UsageError('Pass either --for or --until.');
  if (until !== undefined) return parseTime(until);
  return duration === undefined ? undefined : new Date(now + parseDuration(duration) * 1_000);
}
