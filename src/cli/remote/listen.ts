import { type Command } from 'commander';
import { addCommand, openSession, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { follow } from './follow.ts';
import { readCredential } from './input.ts';
import { cell, toJson } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseInteger } from './values.ts';

const MESSAGE = `id cursor channel event data publishedAt sender { kind token identity connectionData }`;
const CHANNEL = `subscription ($channel: ID!, $since: Cursor) { messages(channel: $channel, since: $since) { ${MESSAGE} } }`;
const INBOX = `subscription ($since: Cursor) { events(since: $since) {
  __typename at
  ... on Connected { cursor connection { id } token { id identity } channels { id } }
  ... on ChannelMessage { message { ${MESSAGE} } }
  ... on DirectMessage { message { ${MESSAGE} } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelStateUpdated { channel { id state version } }
  ... on Restricted { restriction { kind channel reason until } }
  ... on RestrictionLifted { restriction { kind channel } }
  ... on TokenUpdated { token { role customRole expiresAt } }
  ... on TokenExpiring { expiresAt }
  ... on Gap { reason directMessages channels { id } }
  ... on Disconnecting { reason note }
} }`;

interface Message {
  cursor: string | null;
  channel: string | null;
  event: string;
  data: unknown;
  publishedAt: string;
  sender: { identity: string | null; token: string | null };
}

interface Event {
  __typename: string;
  at: string;
  cursor?: string;
  message?: Message;
}

interface ListenOptions extends CommonOptions {
  credential?: string;
  since?: string;
  count?: string;
}

/** `listen`. */
export function addListenCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'listen [channels...]',
    'Print messages as they are published. Reconnects and resumes by itself until interrupted.',
  )
    .option(
      '--credential <file>',
      'listen as a client: a file with the credential, or with what “token create” printed; “-” for standard input. Also: SIGNALBOX_CREDENTIAL',
    )
    .option('--since <cursor>', 'begin after this cursor, which an earlier “listen” printed at its end')
    .option('--count <number>', 'end after this number of messages')
    .addHelpText(
      'after',
      '\nWith an API key, name the channels. With a credential and no channel, everything that its token receives is printed.\nReading pauses while standard output is read too slowly. The cursor at the end is that of the last line that was written.',
    )
    .action(async (channels: string[], options: ListenOptions) => {
      const { address, json } = openSession(terminal, options);
      const credential =
        options.credential === undefined
          ? terminal.env['SIGNALBOX_CREDENTIAL'] || address.apiKey
          : await readCredential(terminal, options.credential);
      if (!credential)
        throw new UsageError(
          'There is no credential and no API key. Set SIGNALBOX_CREDENTIAL or SIGNALBOX_API_KEY.',
        );
      if (channels.length === 0 && credential.startsWith('key_'))
        throw new UsageError('With an API key, name the channels to listen to.');
      if (channels.length > 1 && options.since !== undefined)
        throw new UsageError('--since needs at most one channel: a cursor is a position in one stream.');
      const count = options.count === undefined ? Infinity : parseInteger('--count', options.count, 1, 1e9);
      await listen({ terminal, url: address.url, credential, channels, since: options.since, count, json });
    });
}

interface Listening {
  terminal: RemoteTerminal;
  url: string;
  credential: string;
  channels: string[];
  since: string | undefined;
  count: number;
  json: boolean;
}

async function listen({ channels, since, count, json, ...source }: Listening): Promise<void> {
  /** The cursor of the last line that was written. */
  let last = since;
  let left = count;
  try {
    await follow(source, (client, { write, done, fail }) => {
      const show = (value: Message | Event, message: Message | undefined) => {
        if (left <= 0) return;
        const cursor = message?.cursor ?? ('__typename' in value ? value.cursor : undefined);
        write(json ? toJson(value) : describe(value, message), () => (last = cursor ?? last));
        if (message !== undefined) left -= 1;
        if (left === 0) done();
      };
      const variables = since === undefined ? {} : { since };
      for (const channel of channels)
        client.subscribe(
          CHANNEL,
          { channel, ...variables },
          {
            next: (data) => {
              const { messages } = data as { messages: Message };
              show(messages, messages);
            },
            error: fail,
          },
        );
      if (channels.length === 0)
        client.subscribe(INBOX, variables, {
          next: (data) => {
            const { events } = data as { events: Event };
            show(events, events.message);
          },
          error: fail,
        });
    });
  } finally {
    if (last !== undefined && channels.length <= 1) source.terminal.print(`Resume with --since ${last}`);
  }
}

function describe(value: Message | Event, message: Message | undefined): string {
  if (message !== undefined) {
    const { publishedAt, channel, event, sender, data } = message;
    return [
      publishedAt,
      channel ?? '(direct)',
      event,
      sender.identity ?? sender.token ?? '(backend)',
      toJson(data),
    ]
      .map(cell)
      .join('  ');
  }
  const { __typename, at, ...rest } = value as Event;
  return `${cell(at)}  ${__typename}  ${toJson(rest)}`;
}
