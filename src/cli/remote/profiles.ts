import { chmodSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command } from 'commander';
import { addGroup } from './command.ts';
import { profileFile, profileFolder, readServiceAddress } from './connection.ts';
import { UsageError } from './errors.ts';
import { readSecret } from './input.ts';
import { createOutput } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';

/** `profile write|list`. */
export function addProfileCommands(program: Command, terminal: RemoteTerminal): void {
  const profile = addGroup(program, 'profile', 'Keep the address and the API key of a service in a file.');

  profile
    .command('write')
    .description('Write a profile that only you may read. “default” is used when no other is named.')
    .argument('[name]', 'the name of the profile', 'default')
    .option('--url <url>', 'the address of the service. Also: SIGNALBOX_URL')
    .option('--key <file>', 'a file with the API key, or “-” for standard input. Also: SIGNALBOX_API_KEY')
    .action(async (name: string, { url, key }: { url?: string; key?: string }) => {
      const address = url ?? terminal.env['SIGNALBOX_URL'];
      const apiKey =
        key === undefined ? terminal.env['SIGNALBOX_API_KEY'] : await readSecret(terminal, key, 'API key');
      if (!address || !apiKey)
        throw new UsageError('Pass --url and --key, or set SIGNALBOX_URL and SIGNALBOX_API_KEY.');
      requireHttpUrl(address);
      const file = profileFile(terminal.env, name);
      writePrivately(terminal, file, `${JSON.stringify({ url: address, apiKey }, null, 2)}\n`);
      await terminal.write(`Wrote ${file}.`);
    });

  profile
    .command('list')
    .description('List the profiles with their addresses, without their API keys.')
    .option('--json', 'print one JSON value per line')
    .action(async ({ json = false }: { json?: boolean }) => {
      const profiles = listNames(terminal).map((name) => ({
        name,
        url: readServiceAddress(terminal.env, name).url,
      }));
      await createOutput(terminal, json).list(profiles, [
        ['NAME', ({ name }) => name],
        ['URL', ({ url }) => url],
      ]);
    });
}

function requireHttpUrl(address: string): void {
  try {
    if (/^https?:$/.test(new URL(address).protocol)) return;
  } catch {
    // Not a URL at all: refused with the same sentence as another protocol.
  }
  throw new UsageError(`“${address}” is no http or https URL.`);
}

/** The file never exists with an API key that others can read, and an interrupted write leaves the old one. */
function writePrivately({ createFolder }: RemoteTerminal, file: string, text: string): void {
  createFolder(dirname(file));
  const draft = `${file}.new`;
  writeFileSync(draft, '', { mode: 0o600 });
  chmodSync(draft, 0o600);
  writeFileSync(draft, text);
  renameSync(draft, file);
}

function listNames({ env }: RemoteTerminal): string[] {
  const folder = profileFolder(env);
  try {
    return readdirSync(folder ?? '')
      .flatMap((file) => /^([\w-]+)\.json$/.exec(file)?.[1] ?? [])
      .sort();
  } catch {
    return [];
  }
}
