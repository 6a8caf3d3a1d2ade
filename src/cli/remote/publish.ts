import { type MessageToPublish, type Recipient, type SignalboxError } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, openSession, runToEnd, type CommonOptions, type Session } from './command.ts';
import { UsageError } from './errors.ts';
import { openFile, readLines } from './input.ts';
import { type Output } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseJson } from './values.ts';

/** Lines per call with `--batch`: the maximum that the service accepts. */
const BATCH_LINES = 100;

interface PublishOptions extends CommonOptions {
  file?: string;
  batch?: true;
  ephemeral?: true;
  key?: string;
}

/** `publish` and `direct`. */
export function addPublishCommands(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'publish <channel> <event> [data]',
    'Publish a message to a channel, or one for each line of an input.',
  )
    .option('--file <file>', 'publish each line of a file')
    .option('--batch', 'publish 100 lines with one call')
    .option('--ephemeral', 'deliver to live connections only, and keep nothing')
    .option('--key <key>', 'the idempotency key; for lines, its beginning: the number of the line follows')
    .addHelpText(
      'after',
      '\nDATA is JSON, null when absent; “-” reads standard input, one JSON value per line. A line that is refused is reported with its number, the others are published, and the exit code is 1. A line that is not JSON ends the command with exit code 2; the lines before it are published.',
    )
    .action(async (channel: string, event: string, data: string | undefined, options: PublishOptions) => {
      const session = openSession(terminal, options);
      const { ephemeral, key } = options;
      if (data !== undefined && options.file !== undefined)
        throw new UsageError('Pass either DATA or --file.');
      if (data === '-' || options.file !== undefined) {
        const source =
          options.file === undefined
            ? { input: terminal.readInput(), bytes: undefined }
            : openFile(options.file);
        const toMessage = (line: string, number: number): MessageToPublish => ({
          channel,
          event,
          data: parseJson(`Line ${number}`, line),
          ephemeral,
          idempotencyKey: key === undefined ? undefined : `${key}:${number}`,
        });
        const linesPerCall = options.batch ? BATCH_LINES : 1;
        return runToEnd(session, (print) =>
          publishLines({ ...source, toMessage, linesPerCall }, session, print),
        );
      }
      const receipt = await session.signalbox.publishMessage(
        channel,
        event,
        data === undefined ? undefined : parseJson('DATA', data),
        { ephemeral, idempotencyKey: key },
      );
      await session.output.print(describe(receipt), receipt);
    });

  addCommand(
    program,
    'direct <event> [data]',
    'Publish a message to a token, an identity or one live connection.',
  )
    .option('--token <token>', 'to this token')
    .option('--identity <identity>', 'to every token of this identity')
    .option('--connection <connection>', 'to this live connection; such a message is not kept')
    .option('--ephemeral', 'deliver to live connections only, and keep nothing')
    .option('--key <key>', 'the idempotency key')
    .action(
      async (
        event: string,
        data: string | undefined,
        options: CommonOptions & RecipientOptions & { ephemeral?: true; key?: string },
      ) => {
        const { signalbox, output } = openSession(terminal, options);
        const receipt = await signalbox.publishDirectMessage(
          parseRecipient(options),
          event,
          data === undefined ? undefined : parseJson('DATA', data),
          { ephemeral: options.ephemeral, idempotencyKey: options.key },
        );
        await output.print(describe(receipt), receipt);
      },
    );
}

export interface RecipientOptions {
  token?: string;
  identity?: string;
  connection?: string;
}

/** Exactly one recipient. */
export function parseRecipient({ token, identity, connection }: RecipientOptions): Recipient {
  const given = [token, identity, connection].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (token !== undefined) return { token };
    if (identity !== undefined) return { identity };
    if (connection !== undefined) return { connection };
  }
  throw new UsageError('Pass exactly one of --token, --identity and --connection.');
}

const describe = ({
  message,
  connections,
  repeated,
}: {
  message: { id: string };
  connections: number;
  repeated: boolean;
}) =>
  repeated
    ? `${message.id} was published before with this key; nothing was published.`
    : `Published ${message.id} to ${connections} live ${connections === 1 ? 'connection' : 'connections'}${connections === 0 ? ' of the node that answered' : ''}.`;

interface Lines {
  input: AsyncIterable<Uint8Array>;
  /** The size of the input; undefined where it is unknown. */
  bytes: number | undefined;
  toMessage: (line: string, number: number) => MessageToPublish;
  linesPerCall: number;
}

async function publishLines(
  { input, bytes, toMessage, linesPerCall }: Lines,
  { signalbox, terminal, json }: Pick<Session, 'signalbox' | 'terminal' | 'json'>,
  print: Output['print'],
): Promise<void> {
  const progress = createProgress(terminal, 'messages');
  const counts = { published: 0, refused: 0 };
  let waiting: { message: MessageToPublish; number: number }[] = [];
  const publish = async () => {
    const outcomes = await signalbox.publishMessages(waiting.map(({ message }) => message));
    const receipts = outcomes.flatMap(({ receipt }) => receipt ?? []);
    // Before anything is printed, which can fail or be interrupted: the whole call was executed.
    counts.published += receipts.length;
    counts.refused += outcomes.length - receipts.length;
    for (const [index, { error }] of outcomes.entries())
      if (error) report(terminal, progress, waiting[index]?.number ?? 0, error);
    waiting = [];
    if (json) for (const receipt of receipts) await print('', receipt);
  };
  /** The lines before one that is no JSON are published. */
  const parse = async (line: string, number: number) => {
    try {
      return toMessage(line, number);
    } catch (error) {
      if (waiting.length > 0) await publish();
      throw error;
    }
  };
  try {
    for await (const { line, number, bytes: read } of readLines(input)) {
      waiting.push({ message: await parse(line, number), number });
      if (waiting.length >= linesPerCall) await publish();
      progress.update(counts.published, bytes === undefined ? undefined : read / bytes);
    }
    if (waiting.length > 0) await publish();
  } finally {
    progress.end();
    // Also when a line is no JSON or the service cannot be reached: the number shows where to continue.
    const noun = counts.published === 1 ? 'message' : 'messages';
    terminal.print(`Published ${counts.published} ${noun}; ${counts.refused} were refused.`);
  }
  if (counts.refused > 0) terminal.setExitCode(1);
}

function report({ print }: RemoteTerminal, progress: Progress, line: number, error: SignalboxError): void {
  progress.end();
  print(`Line ${line}: ${error.message} (${error.code})`);
}
