import { type Command } from 'commander';
import { addCommand, openSession, requireApiKey, type CommonOptions } from './command.ts';
import { follow } from './follow.ts';
import { cell, toJson } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { collect, parseInteger, parseWord } from './values.ts';

const KINDS = [
  'MESSAGE',
  'PRESENCE',
  'CONNECTION',
  'TOKEN',
  'MEMBERSHIP',
  'CHANNEL',
  'MODERATION',
  'REFUSAL',
  'ADMINISTRATION',
] as const;

const ACTIVITY = `subscription ($kinds: [ActivityKind!], $channel: ID, $token: ID, $identity: String, $payloads: Boolean, $perSecond: Int, $recent: Int) {
  activity(kinds: $kinds, channel: $channel, token: $token, identity: $identity, payloads: $payloads, perSecond: $perSecond, recent: $recent) {
    at kind action actor subject channel token identity connection code reason sentence field address count message event data replayed
  }
}`;

interface Activity {
  at: string;
  kind: string;
  action: string;
  count: number | null;
  replayed: boolean;
  [field: string]: unknown;
}

interface ActivityOptions extends CommonOptions {
  kind?: string[];
  channel?: string;
  token?: string;
  identity?: string;
  payloads?: true;
  perSecond?: string;
  recent?: string;
  count?: string;
}

/** `activity`. */
export function addActivityCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'activity',
    'Print what happens in the project, as it happens, until interrupted: messages, presence, connections, tokens, moderation and refusals.',
  )
    .option('--kind <kind>', `only this kind: ${KINDS.join(', ')}; may be repeated`, collect)
    .option('--channel <channel>', 'only what happens in this channel')
    .option('--token <token>', 'only what is about this token, or done by it')
    .option('--identity <identity>', 'only what is about this identity')
    .option('--payloads', 'also print the data of messages and presence states')
    .option(
      '--per-second <number>',
      'how many messages, presence changes and connections are printed per second on average: 1–1000, 1000 by default',
    )
    .option(
      '--recent <number>',
      'begin with this number of past activities, without their data, from the memory of the service: 0–200, 0 by default',
    )
    .option('--count <number>', 'end after this number of lines')
    .addHelpText(
      'after',
      '\nNothing is replayed but what --recent asks for: what happens while the command reconnects is not printed. SKIPPED counts once a second what was left out because it came too fast, or because standard output is read too slowly.',
    )
    .action(async (options: ActivityOptions) => {
      const { address, json } = openSession(terminal, options);
      const { channel, token, identity, payloads } = options;
      const kinds = options.kind?.map((kind) => parseWord('--kind', kind, KINDS));
      const count = options.count === undefined ? Infinity : parseInteger('--count', options.count, 1, 1e9);
      const perSecond =
        options.perSecond === undefined
          ? undefined
          : parseInteger('--per-second', options.perSecond, 1, 1000);
      const recent =
        options.recent === undefined ? undefined : parseInteger('--recent', options.recent, 0, 200);
      const variables = { kinds, channel, token, identity, payloads, perSecond, recent };
      const credential = requireApiKey(address);
      await followActivity({ terminal, url: address.url, credential, variables, count, json });
    });
}

interface Following {
  terminal: RemoteTerminal;
  url: string;
  credential: string;
  variables: { recent: number | undefined };
  count: number;
  json: boolean;
}

function followActivity({ variables, count, json, ...source }: Following): Promise<void> {
  let left = count;
  let { recent } = variables;
  return follow(source, (client, { write, done, fail }) => {
    const current = {
      ...variables,
      /** Read each time that the client connects. What it printed is not printed again. */
      get recent() {
        return recent;
      },
    };
    client.subscribe(ACTIVITY, current, {
      next(data) {
        recent = undefined;
        const { activity } = data as { activity: Activity };
        if (left <= 0) return;
        write(json ? toJson(activity) : describe(activity));
        if (--left === 0) done();
      },
      error: fail,
    });
  });
}

/** The fields that apply, as one line. */
function describe({ at, kind, action, replayed: _, ...fields }: Activity): string {
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  return [at, kind, action, ...known.map(([name, value]) => `${name}=${cell(value)}`)].map(cell).join('  ');
}
