import { closeSync, existsSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { isOwnFileName } from '../store/data-folder.ts';
import { findDamage, summarize, type ProjectSummary } from './inspect.ts';
import { flushFile, openStoreFile, storeFileOf } from './store-file.ts';

export interface BackupReport {
  file: string;
  bytes: number;
  projects: ProjectSummary[];
}

/**
 * Copies the store of a data folder into one file, also while a service writes to it: the copy is a consistent
 * snapshot, and the service is not blocked. It gets its final name after verification. Only its owner can read it.
 * The copy does not contain the master key.
 * @param force replace a file that exists
 * @throws CONFLICT when the file exists, or is one of the data folder's own; UNAVAILABLE when there is no store, no space, or the copy is damaged
 * @example backupStore({ data: './data', file: 'signalbox-2030-01-31.sqlite' })
 */
export function backupStore({
  data,
  file,
  force = false,
}: {
  data: string;
  file: string;
  force?: boolean;
}): BackupReport {
  if (existsSync(file) && !force)
    throw new SignalboxError('CONFLICT', `${file} exists. Name another file, or pass --force to replace it.`);
  if (existsSync(file) && !statSync(file).isFile())
    throw new SignalboxError('CONFLICT', `${file} is a folder or a device. Name a file.`);
  if (isOwnFileOf(data, file))
    throw new SignalboxError(
      'CONFLICT',
      `${file} is a file of the data folder itself, which a backup would destroy. Name another file.`,
    );
  const source = openStoreFile(storeFileOf(data), { readonly: true });
  const partial = `${file}.partial`;
  try {
    // Create the file first, with owner-only permissions: `vacuum into` accepts an existing empty file.
    rmSync(partial, { force: true });
    closeSync(openSync(partial, 'wx', 0o600));
    source.prepare('vacuum into ?').run(partial);
    const projects = verifyCopy(partial);
    flushFile(partial);
    renameSync(partial, file);
    flushFile(file);
    return { file, bytes: statSync(file).size, projects };
  } catch (cause) {
    rmSync(partial, { force: true });
    if (cause instanceof SignalboxError) throw cause;
    throw new SignalboxError('UNAVAILABLE', `The backup failed: ${(cause as Error).message}.`);
  } finally {
    source.close();
  }
}

/** A running service would continue to write to the replaced file, which is lost when the service stops. */
function isOwnFileOf(data: string, file: string): boolean {
  const isInFolder =
    existsSync(data) && existsSync(dirname(file)) && realpathSync(dirname(file)) === realpathSync(data);
  return isInFolder && isOwnFileName(basename(file));
}

function verifyCopy(file: string): ProjectSummary[] {
  const copy = openStoreFile(file, { readonly: true });
  try {
    const [first, ...others] = findDamage(copy);
    if (!first) return summarize(copy);
    throw new SignalboxError(
      'UNAVAILABLE',
      `The copy is damaged, as the store is (${first.table}: ${first.message}${others.length > 0 ? ` and ${others.length} more` : ''}). Run “signalbox check”.`,
    );
  } finally {
    copy.close();
  }
}
