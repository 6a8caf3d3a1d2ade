import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, readConfig, type Config, type Secrets } from '../config.ts';
import { checkMasterKeyFile } from '../secrets/master-key.ts';
import { descriptorWarning } from '../transport/file-descriptors.ts';
import { openStoreFile, requireOwnSchema, storeFileOf } from './store-file.ts';

/** One check: resolves to a sentence, or throws an error whose message says what to do. */
export type MachineCheck = readonly [name: string, run: () => string];

/** Less is full within hours on a busy service: one message of 1 KB takes about 1.5 KB with its indexes. */
const MIN_FREE_BYTES = 1024 ** 3;
const GIB = 1024 ** 3;

/**
 * Checks what the service would start with on this machine: settings, data folder, store, master key, free space and the limit
 * of open files. Reads only, also while the service runs.
 * @param env the environment of the service
 */
export function* machineChecks(
  env: Readonly<Record<string, string | undefined>>,
): Generator<MachineCheck, void> {
  let read: { config: Config; secrets: Secrets } | undefined;
  yield [
    'settings',
    () => {
      const { warnings, ...valid } = readConfig(env);
      read = valid;
      if (warnings.length > 0) throw new ConfigError(warnings.join(' '));
      return `All settings are valid; NODE_ENV is ${valid.config.mode}.`;
    },
  ];
  // Without valid settings, the data folder and the store are unknown.
  if (!read) return;
  const { config, secrets } = read;
  yield ['open files', () => checkDescriptors(config)];
  if (secrets.databaseUrl !== undefined) {
    yield [
      'store',
      () =>
        'The store is in PostgreSQL; without --local, the check “readiness” asks a running service for it.',
    ];
    return;
  }
  if (config.data === ':memory:') {
    yield ['store', () => 'The store is in memory: everything is lost when the service ends.'];
    return;
  }
  yield ['data folder', () => checkFolder(config.data)];
  yield ['free space', () => checkFreeSpace(config.data)];
  yield ['master key', () => checkMasterKeyFile(config.data, secrets.masterKeys ?? [])];
  yield ['store', () => checkStoreFile(config.data)];
}

function checkDescriptors(config: Config): string {
  const warning = descriptorWarning(config);
  if (warning !== undefined) throw new Error(warning);
  return `The limit of open files is high enough for ${config.maxConnections} connections, or for development.`;
}

function checkFolder(data: string): string {
  const folder = resolve(data);
  const exists = existsSync(folder);
  try {
    accessSync(nearestFolder(folder), constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(
      `This user cannot write ${exists ? folder : nearestFolder(folder)}. Change its owner, or set SIGNALBOX_DATA to another folder.`,
      { cause },
    );
  }
  return exists ? `${folder} can be written.` : `${folder} does not exist yet; the service creates it.`;
}

function checkFreeSpace(data: string): string {
  const { bavail, bsize } = statfsSync(nearestFolder(resolve(data)));
  const free = bavail * bsize;
  const store = statSync(storeFileOf(data), { throwIfNoEntry: false })?.size ?? 0;
  // A backup and the rebuilding of a store need as much space again.
  const wanted = Math.max(MIN_FREE_BYTES, store);
  const amount = `${(free / GIB).toFixed(1)} GiB are free`;
  if (free >= wanted) return `${amount}; the store has ${(store / GIB).toFixed(1)} GiB.`;
  throw new Error(
    `${amount}, and ${(wanted / GIB).toFixed(1)} GiB should be. Free space, move SIGNALBOX_DATA to a larger disk, or shorten the history of channels.`,
  );
}

function checkStoreFile(data: string): string {
  const file = storeFileOf(data);
  if (!existsSync(file)) return 'There is no store yet; the service creates it.';
  const sqlite = openStoreFile(file, { readonly: true });
  try {
    requireOwnSchema(sqlite, file);
    return `${file} can be read. “signalbox check” reads every row of it.`;
  } finally {
    sqlite.close();
  }
}

/** The folder itself, or the nearest above it that exists. */
function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}
