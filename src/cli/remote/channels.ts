import { type Channel, type UpdateChannelInput } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, runToEnd, take, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { readLines } from './input.ts';
import { type Columns, toJson } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseDuration, parseInteger, parseJson, parseWord, requireChange } from './values.ts';

const TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;

const ROW: Columns<Channel> = [
  ['ID', ({ id }) => id],
  ['TYPE', ({ type }) => type],
  ['KIND', ({ kind }) => kind],
  ['VERSION', ({ version }) => version],
  ['CREATED', ({ createdAt }) => createdAt],
];

const RECORD: Columns<Channel> = [
  ...ROW,
  ['STATE', ({ state }) => state],
  ['HISTORY', ({ history }) => history],
];

interface ChannelOptions extends CommonOptions {
  type?: string;
  kind?: string;
  historyMessages?: string;
  historyFor?: string;
}

/** Adds the options of a new or changed channel. `absent`: what applies without each of them. */
const addChannelOptions = (command: Command, { type, history }: { type: string; history: string }) =>
  command
    .option('--type <type>', `UNPROTECTED, PUBLIC or PRIVATE (default: ${type})`)
    .option('--kind <kind>', 'in place of --type: a custom kind of the project, which has a type')
    .option(
      '--history-messages <number>',
      `the most messages to keep; 0: none; “max”: as many as the service keeps (default: ${history})`,
    )
    .option(
      '--history-for <duration>',
      `how long to keep messages, such as 15m, 12h or 7d; “max”: as long as the service does (default: ${history})`,
    );

function toChannelInput({ type, kind, historyMessages, historyFor }: ChannelOptions): UpdateChannelInput {
  if (type !== undefined && kind !== undefined) throw new UsageError('Pass either --type or --kind.');
  const history = {
    ...(historyMessages !== undefined && {
      messages:
        historyMessages === 'max'
          ? null
          : parseInteger('--history-messages', historyMessages, 0, 2 ** 31 - 1),
    }),
    ...(historyFor !== undefined && { seconds: historyFor === 'max' ? null : parseDuration(historyFor) }),
  };
  return {
    ...(type !== undefined && { type: parseWord('--type', type, TYPES) }),
    ...(kind !== undefined && { kind }),
    ...(Object.keys(history).length > 0 && { history }),
  };
}

/** `channel create|list|show|update|delete|state`, `subscribe`, `unsubscribe`. */
export function addChannelCommands(program: Command, terminal: RemoteTerminal): void {
  const channel = addGroup(
    program,
    'channel',
    'Create, list, show, change and delete channels; read and set their state.',
  );

  addChannelOptions(
    addCommand(channel, 'create [channel]', 'Create a channel. Its id is generated when absent.'),
    { type: 'PRIVATE', history: 'max' },
  )
    .option('--state <json>', 'the initial state (default: {})')
    .action(async (id: string | undefined, options: ChannelOptions & { state?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const { state } = options;
      const created = await signalbox.channels.create({
        id,
        ...toChannelInput(options),
        ...(state !== undefined && { state: parseJson('--state', state) }),
      });
      await output.one(created, RECORD);
    });

  addCommand(channel, 'list', 'List the channels of the project, sorted by id.')
    .option('--type <type>', 'only UNPROTECTED, PUBLIC or PRIVATE channels')
    .option('--limit <number>', 'the most channels to list', '1000')
    .action(async ({ type, limit, ...common }: CommonOptions & { type?: string; limit: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      const filter = type === undefined ? {} : { type: parseWord('--type', type, TYPES) };
      const most = parseInteger('--limit', limit, 1, 10_000_000);
      await output.list(take(signalbox.channels.list(filter), most), ROW);
    });

  addCommand(channel, 'show <channel>', 'Show a channel with its state.').action(
    async (id: string, common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.one(await signalbox.channels.get(id), RECORD);
    },
  );

  addChannelOptions(
    addCommand(channel, 'update <channel>', 'Change the type, the kind or the history of a channel.'),
    { type: 'unchanged', history: 'unchanged' },
  )
    .option(
      '--keep-memberships',
      'a channel that becomes PRIVATE keeps the tokens that subscribed themselves',
    )
    .action(async (id: string, options: ChannelOptions & { keepMemberships?: true }) => {
      const { signalbox, output } = openSession(terminal, options);
      const { keepMemberships } = options;
      const change = requireChange({ ...toChannelInput(options), keepMemberships });
      const changed = await signalbox.channels.update(id, change);
      await output.one(changed, [
        ...RECORD,
        ['ENDED MEMBERSHIPS', ({ endedMemberships }) => endedMemberships],
      ]);
    });

  addCommand(channel, 'delete <channel>', 'Delete a channel with its memberships and messages.').action(
    async (id: string, common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await signalbox.channels.delete(id);
      await output.print(`Deleted ${id}.`, { id });
    },
  );

  addCommand(channel, 'state <channel> [state]', 'Print the state of a channel, or replace it.')
    .option('--patch', 'change parts of the state by a JSON merge patch (RFC 7396)')
    .option('--if-version <number>', 'only if the state has this version')
    .addHelpText('after', '\nThe state is JSON; “-” reads it from the first line of standard input.')
    .action(
      async (
        id: string,
        text: string | undefined,
        { patch, ifVersion, ...common }: CommonOptions & { patch?: true; ifVersion?: string },
      ) => {
        const { signalbox, output } = openSession(terminal, common);
        if (text === undefined) {
          const { state } = await signalbox.channels.get(id);
          return terminal.write(toJson(state));
        }
        const value = parseJson('The state', text === '-' ? await readFirstLine(terminal) : text);
        const options =
          ifVersion === undefined
            ? {}
            : { ifVersion: parseInteger('--if-version', ifVersion, 1, 2 ** 31 - 1) };
        const changed = patch
          ? await signalbox.channels.patchState(id, value, options)
          : await signalbox.channels.setState(id, value, options);
        await output.print(`${id} is at version ${changed.version}.`, changed);
      },
    );

  addCommand(
    program,
    'subscribe <channel> <tokens...>',
    'Subscribe tokens to a channel, by their ids, at once on live connections.',
  )
    .option('--since <cursor>', 'let them also read what was published after this cursor')
    .action(
      async (id: string, tokens: string[], { since, ...common }: CommonOptions & { since?: string }) => {
        const session = openSession(terminal, common);
        await runToEnd(session, async (print) => {
          for (const token of tokens) {
            const { createdAt } = await session.signalbox.channels.subscribeToken(id, token, { since });
            await print(`${token} is subscribed to ${id}.`, { channel: id, token, createdAt });
          }
        });
      },
    );

  addCommand(
    program,
    'unsubscribe <channel> <tokens...>',
    'End the memberships of tokens in a channel.',
  ).action(async (id: string, tokens: string[], common: CommonOptions) => {
    const session = openSession(terminal, common);
    await runToEnd(session, async (print) => {
      for (const token of tokens) {
        const ended = await session.signalbox.channels.unsubscribeToken(id, token);
        const sentence = ended
          ? `${token} is no longer subscribed to ${id}.`
          : `${token} was not subscribed to ${id}.`;
        await print(sentence, { channel: id, token, membership: ended });
      }
    });
  });
}

async function readFirstLine({ readInput }: RemoteTerminal): Promise<string> {
  for await (const { line } of readLines(readInput())) return line;
  return '';
}
