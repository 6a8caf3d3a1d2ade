import { type Channel } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, take, type CommonOptions } from './command.ts';
import { readLines } from './input.ts';
import { type Columns, toJson } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseInteger, parseJson, parseWord } from './values.ts';

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

/** `channel create|list|show|delete|state`, `subscribe`, `unsubscribe`. */
export function addChannelCommands(program: Command, terminal: RemoteTerminal): void {
  const channel = addGroup(
    program,
    'channel',
    'Create, list, show and delete channels; read and set their state.',
  );

  addCommand(channel, 'create [channel]', 'Create a channel. Its id is generated when absent.')
    .option('--type <type>', 'UNPROTECTED, PUBLIC or PRIVATE', 'PRIVATE')
    .option('--state <json>', 'the initial state (default: {})')
    .action(
      async (
        id: string | undefined,
        { type, state, ...common }: CommonOptions & { type: string; state?: string },
      ) => {
        const { signalbox, output } = openSession(terminal, common);
        const created = await signalbox.channels.create({
          id,
          type: parseWord('--type', type, TYPES),
          ...(state !== undefined && { state: parseJson('--state', state) }),
        });
        await output.one(created, RECORD);
      },
    );

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
  ).action(async (id: string, tokens: string[], common: CommonOptions) => {
    const { signalbox, output } = openSession(terminal, common);
    for (const token of tokens) {
      const { createdAt } = await signalbox.channels.subscribeToken(id, token);
      await output.print(`${token} is subscribed to ${id}.`, { channel: id, token, createdAt });
    }
  });

  addCommand(
    program,
    'unsubscribe <channel> <tokens...>',
    'End the memberships of tokens in a channel.',
  ).action(async (id: string, tokens: string[], common: CommonOptions) => {
    const { signalbox, output } = openSession(terminal, common);
    for (const token of tokens) {
      const ended = await signalbox.channels.unsubscribeToken(id, token);
      const sentence = ended
        ? `${token} is no longer subscribed to ${id}.`
        : `${token} was not subscribed to ${id}.`;
      await output.print(sentence, { channel: id, token, membership: ended });
    }
  });
}

async function readFirstLine({ readInput }: RemoteTerminal): Promise<string> {
  for await (const { line } of readLines(readInput())) return line;
  return '';
}
