import { Signalbox } from '@signalbox/server';
import { type Command } from 'commander';
import { readServiceAddress, type ServiceAddress } from './connection.ts';
import { UsageError } from './errors.ts';
import { createOutput, type Output } from './output.ts';
import { OutputClosed, type RemoteTerminal } from './terminal.ts';

/** The options of every command that calls a service. */
export interface CommonOptions {
  json?: boolean;
  profile?: string;
}

/** The arguments of the action of a command. */
export interface Session {
  terminal: RemoteTerminal;
  output: Output;
  json: boolean;
  address: ServiceAddress;
  /** The SDK with the API key. Throws where there is none. */
  readonly signalbox: Signalbox;
}

/** Adds a command that calls a service. */
export function addCommand(parent: Command, nameAndArguments: string, description: string): Command {
  return parent
    .command(nameAndArguments)
    .description(description)
    .showHelpAfterError(`Run “${pathOf(parent)} ${nameOf(nameAndArguments)} --help” for the options.`)
    .option('--json', 'print one JSON value per line')
    .option('--profile <name>', 'take address and API key from this profile');
}

/** Adds a command that only groups others. */
export const addGroup = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .showHelpAfterError(`Run “${pathOf(parent)} ${name} --help” for its commands.`);

const nameOf = (nameAndArguments: string) => nameAndArguments.replace(/ .*/, '');

/** The names of a command and of those above it, as they are typed. */
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** Opens the session of a command. */
export function openSession(terminal: RemoteTerminal, { json = false, profile }: CommonOptions): Session {
  const address = readServiceAddress(terminal.env, profile);
  let opened: Signalbox | undefined;
  return {
    terminal,
    output: createOutput(terminal, json),
    json,
    address,
    get signalbox() {
      return (opened ??= new Signalbox(requireApiKey(address), { url: address.url }));
    },
  };
}

/**
 * Runs several changes or checks, which print their results with the `print` that they are given. Once a result cannot be printed,
 * the later ones are dropped, because standard output must not decide which changes are made. A reader that has gone is no error.
 * @throws the error of `run`; otherwise, at the end, that of the first result that could not be printed
 */
export async function runToEnd<Result>(
  { output, terminal }: Session,
  run: (print: Output['print']) => Promise<Result>,
): Promise<Result> {
  let isBroken = false;
  let failure: Error | undefined;
  const print: Output['print'] = async (sentences, value) => {
    if (isBroken) return;
    try {
      await output.print(sentences, value);
    } catch (error) {
      isBroken = true;
      if (!(error instanceof OutputClosed)) failure = error as Error;
    }
  };
  const result = await run(print).catch((error: unknown) => {
    // The error of a change decides the exit code, but the results before it are missing, too.
    if (failure) terminal.print(failure.message);
    throw error;
  });
  if (failure) throw failure;
  return result;
}

/** @throws UsageError when there is no API key */
export function requireApiKey({ apiKey }: ServiceAddress): string {
  if (!apiKey)
    throw new UsageError(
      'There is no API key. Set SIGNALBOX_API_KEY to the one that the service printed when it was first started, or keep it in a profile: signalbox profile write --help.',
    );
  return apiKey;
}

/** Yields at most `limit` entries. */
export async function* take<T>(entries: AsyncIterable<T>, limit: number): AsyncGenerator<T, void> {
  let count = 0;
  for await (const entry of entries) {
    if (count >= limit) return;
    count += 1;
    yield entry;
    if (count === limit) return;
  }
}
