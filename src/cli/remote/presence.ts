import { type DeliveryExplanation, type LiveConnection, type Member } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, openSession, take, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { ACTIONS, parseInteger, parseTarget, parseWord } from './values.ts';

const MEMBER: Columns<Member> = [
  ['CONNECTION', ({ id }) => id],
  ['IDENTITY', ({ identity }) => identity],
  ['TOKEN', ({ token }) => token],
  ['STATE', ({ state }) => state],
  ['SINCE', ({ connectedAt }) => connectedAt],
];

const CONNECTION: Columns<LiveConnection> = [
  ['CONNECTION', ({ connection }) => connection.id],
  ['IDENTITY', ({ connection }) => connection.identity],
  ['TOKEN', ({ connection }) => connection.token],
  ['CHANNELS', ({ channels }) => channels],
  ['QUEUED', ({ queuedBytes }) => queuedBytes],
  ['SINCE', ({ connection }) => connection.connectedAt],
];

/** `online`, `presence`, `connections` and `explain`. */
export function addPresenceCommands(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'online',
    'Tell whether a token or an identity has a live connection. Exit code 1 when it has none.',
  )
    .option('--token <token>', 'the id of the token')
    .option('--identity <identity>', 'the identity: online if one of its tokens is')
    .action(async (options: CommonOptions & { token?: string; identity?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      const isOnline = await signalbox.tokens.isOnline(parseTarget(options));
      if (!isOnline) terminal.setExitCode(1);
      await output.print(isOnline ? 'Online.' : 'Offline.', isOnline);
    });

  addCommand(program, 'presence <channel>', 'List the live connections in a channel.').action(
    async (channel: string, common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.list(signalbox.channels.members(channel), MEMBER);
    },
  );

  addCommand(program, 'connections', 'List the live connections of the project, oldest first.')
    .option('--channel <channel>', 'only connections in this channel')
    .option('--token <token>', 'only connections of this token')
    .option('--identity <identity>', 'only connections of this identity')
    .option('--limit <number>', 'the most connections to list', '1000')
    .action(async ({ channel, token, identity, limit, ...common }: ConnectionsOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      const most = parseInteger('--limit', limit, 1, 10_000_000);
      await output.list(take(signalbox.listConnections({ channel, token, identity }), most), CONNECTION);
    });

  addCommand(
    program,
    'explain',
    'Explain whether an action is allowed, or whether a token received a message. Exit code 1 when not.',
  )
    .option('--channel <channel>', 'with --action: the channel')
    .option('--action <action>', 'SUBSCRIBE, PUBLISH, PRESENCE or MODERATE')
    .option('--message <message>', 'with --token: the id of the message')
    .option('--token <token>', 'the token (default, for an action: an anonymous caller)')
    .action(async (options: ExplainOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { channel, token, message } = options;
      if (
        message !== undefined &&
        token !== undefined &&
        channel === undefined &&
        options.action === undefined
      ) {
        const explained = await signalbox.explainDelivery({ message, token });
        if (explained.outcome !== 'DELIVERED') terminal.setExitCode(1);
        return output.print(describeDelivery(explained), explained);
      }
      if (channel === undefined || options.action === undefined || message !== undefined)
        throw new UsageError('Pass either --channel and --action, or --message and --token.');
      const action = parseWord('--action', options.action, ACTIONS);
      const explained = await signalbox.explainPermission({ channel, token, action });
      const { allowed, rule, because } = explained;
      if (!allowed) terminal.setExitCode(1);
      await output.print(`${allowed ? 'Allowed' : 'Not allowed'} (${rule}): ${because}`, explained);
    });
}

interface ConnectionsOptions extends CommonOptions {
  channel?: string;
  token?: string;
  identity?: string;
  limit: string;
}

interface ExplainOptions extends CommonOptions {
  channel?: string;
  action?: string;
  message?: string;
  token?: string;
}

const OUTCOMES: Record<DeliveryExplanation['outcome'], string> = {
  DELIVERED: 'Delivered',
  PENDING: 'Not delivered yet',
  NOT_DELIVERED: 'Not delivered',
  UNKNOWN: 'Unknown',
};

/** One sentence for each line. */
function describeDelivery(explanation: DeliveryExplanation): string[] {
  const { outcome, rule, because, deliveries, unansweredNodes, endedNodes } = explanation;
  const connections = deliveries.map(
    ({ connection, node, replayed, at }) =>
      ` ${connection}${replayed ? ' by a replay' : ` at ${at ?? '–'}`} on ${node}`,
  );
  const answer = `${OUTCOMES[outcome]}${rule ? ` (${rule})` : ''}: ${because}${connections.length > 0 ? ':' : ''}${connections.join(',')}`;
  return [
    answer,
    ...unansweredNodes.map((node) => `Without the node ${node}, which did not answer in time.`),
    ...endedNodes.map((node) => `Without the node ${node}, which has ended since.`),
  ];
}
