import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { createFolder } from '../create-folder.ts';
import { SignalboxError } from '../errors.ts';
import { findLockHolder } from './lock-holder.ts';

/** The files of a data folder. */
export const STORE_FILE = 'signalbox.sqlite';
export const LOCK_FILE = 'lock.sqlite';
export const MASTER_KEY_FILE = 'master.key';

/** Whether the service keeps a file of this name in its data folder: those above, and the write-ahead log and journal of SQLite. */
export function isOwnFileName(name: string): boolean {
  return [STORE_FILE, LOCK_FILE].some((file) => name.startsWith(file)) || name === MASTER_KEY_FILE;
}

const OWNER_ONLY_FILE = 0o600;

/**
 * Creates the data folder if it is missing, and makes its files readable by their owner only: they hold every message.
 * SQLite gives the write-ahead log the mode of the store file.
 * @throws UNAVAILABLE when the folder cannot be used, or holds a master key but no store
 */
export function prepareDataFolder(folder: string): void {
  try {
    createFolder(folder);
    requireStoreBesideMasterKey(folder);
    for (const name of [LOCK_FILE, STORE_FILE]) restrictToOwner(join(folder, name));
  } catch (error) {
    throw error instanceof SignalboxError ? error : folderError(folder, error);
  }
}

/**
 * A new store beside an existing master key is nearly always a mistake: the volume with the store is not mounted, or the
 * store was moved. With an empty store, every credential would be refused as unknown.
 */
function requireStoreBesideMasterKey(folder: string): void {
  if (!existsSync(join(folder, MASTER_KEY_FILE)) || existsSync(join(folder, STORE_FILE))) return;
  throw new SignalboxError(
    'UNAVAILABLE',
    `The data folder ${folder} holds ${MASTER_KEY_FILE} but no ${STORE_FILE}. Mount or restore the store (“signalbox restore FILE”), or remove ${MASTER_KEY_FILE} to begin a new installation.`,
  );
}

function restrictToOwner(file: string): void {
  // Opening a pipe would wait for its other end for ever.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw Object.assign(new Error(`${basename(file)} is not a file`), { code: 'NOT_A_FILE' });
  closeSync(openSync(file, 'a', OWNER_ONLY_FILE));
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, OWNER_ONLY_FILE);
}

/**
 * Locks the data folder for this process. The lock is held on a separate file, so that backup tools can read the data
 * file. The kernel releases it when the process ends, even after `kill -9`.
 * @throws UNAVAILABLE when another process holds the lock, or the folder cannot be used
 */
export function lockFolder(folder: string): Database.Database {
  let lock: Database.Database | undefined;
  try {
    restrictToOwner(join(folder, LOCK_FILE));
    lock = new Database(join(folder, LOCK_FILE), { timeout: 0 });
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    // A lock on a file that cannot be written is not exclusive.
    if (lock.readonly) throw Object.assign(new Error('read-only'), { code: 'EACCES' });
    return lock;
  } catch (error) {
    lock?.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw folderError(folder, error);
    const holder = findLockHolder(join(folder, LOCK_FILE));
    throw new SignalboxError(
      'UNAVAILABLE',
      `The data folder ${folder} is in use by another Signalbox process${holder === undefined ? '' : ` (PID ${holder})`}. Stop it, or set SIGNALBOX_DATA to another folder.`,
      { cause: error },
    );
  }
}

/** Describes why a folder or a store file cannot be used, and how an operator can fix the problem. */
export function folderError(folder: string, cause: unknown): SignalboxError {
  const {
    code = '',
    message = String(cause),
    path = folder,
  } = cause as { code?: string; message?: string; path?: string };
  const sentence =
    SENTENCES.find(([codes]) => codes.some((prefix) => code.startsWith(prefix)))?.[1] ??
    `cannot be used: ${message}.`;
  const subject =
    code === 'EACCES' && dirname(path) === folder ? `The file ${path}` : `The data folder ${folder}`;
  return new SignalboxError('UNAVAILABLE', `${subject} ${sentence}`, { cause });
}

const SENTENCES: readonly (readonly [codes: readonly string[], sentence: string])[] = [
  [['ENOSPC', 'EDQUOT', 'SQLITE_FULL'], 'has no space left. Free some space and start again.'],
  [
    ['EACCES', 'EPERM', 'EROFS', 'SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM'],
    'cannot be written. Give it to the user that runs the service, or set SIGNALBOX_DATA to another folder.',
  ],
  [['ENOTDIR', 'EEXIST'], 'is not a folder. Set SIGNALBOX_DATA to a folder.'],
  [
    ['ENOENT', 'ELOOP', 'ENAMETOOLONG'],
    'does not exist and cannot be created. Check its path and its symbolic links, or set SIGNALBOX_DATA to another folder.',
  ],
  [
    ['SQLITE_CORRUPT', 'SQLITE_NOTADB'],
    'holds a damaged store. Run “signalbox check”, then restore a backup with “signalbox restore FILE”.',
  ],
  [['SQLITE_BUSY'], 'is locked by another program. End it and start again.'],
  [['SQLITE_IOERR', 'EIO'], 'cannot be read or written: its disk reports an error. Check the disk.'],
];
