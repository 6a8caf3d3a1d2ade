import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Database } from 'better-sqlite3';
import { createFolder } from '../create-folder.ts';
import { SignalboxError } from '../errors.ts';
import { folderError, LOCK_FILE, lockFolder } from '../store/data-folder.ts';
import { openSqlite } from '../store/sqlite.ts';
import { carryOver, revokeIssuedBefore, type CarriedOver } from './carry-over.ts';
import { findDamage, summarize, type ProjectSummary } from './inspect.ts';
import {
  flushFile,
  openStoreFile,
  requireOwnSchema,
  requireStoreFile,
  storeFileOf,
  usesWriteAheadLog,
} from './store-file.ts';
import { compareWithReplaced, type RestoreLoss } from './restore-loss.ts';

/** How a restore treats credentials that were revoked after the copy was made. */
export type RevokedCredentialPolicy =
  /** Take revocations over from the replaced store. The default; needs a readable store. */
  | { kind: 'CARRY_OVER' }
  /** Refuse every credential issued before this moment, in milliseconds since 1970. */
  | { kind: 'REVOKE_ISSUED_BEFORE'; epochMs: number }
  /** Accept that revoked credentials work again. */
  | { kind: 'ACCEPT_REVOKED' };

export interface RestoreReport {
  /** The path that the replaced store was renamed to; undefined: there was none. */
  replaced: string | undefined;
  projects: ProjectSummary[];
  /** Undefined where the replaced store was missing or unreadable. */
  undone: RestoreLoss[] | undefined;
  carriedOver: CarriedOver | undefined;
  /** Projects in which credentials issued before the given moment are refused. */
  revokedProjects: number;
}

/**
 * Replaces the store of a data folder with a copy that `backupStore` made. The service must be stopped. The copy is
 * verified, migrated and completed in a separate folder; then two renames put it in place. The replaced store
 * stays in the folder; its write-ahead log is checkpointed into it first.
 * @throws UNAVAILABLE when a service uses the folder, the copy is damaged, newer or not a store, or CARRY_OVER
 * is the decision and the folder has no readable store of the same installation
 */
export async function restoreStore({
  data,
  file,
  decision,
  now,
}: {
  data: string;
  file: string;
  decision: RevokedCredentialPolicy;
  /** Milliseconds since 1970. */
  now: number;
}): Promise<RestoreReport> {
  requireStoreFile(file);
  try {
    createFolder(data);
    return await restoreInto({ data, file, decision, now });
  } catch (error) {
    throw error instanceof SignalboxError ? error : folderError(data, error);
  }
}

async function restoreInto({
  data,
  file,
  decision,
  now,
}: Parameters<typeof restoreStore>[0]): Promise<RestoreReport> {
  const lock = lockFolder(data);
  const stagingFolder = join(data, 'restoring');
  try {
    rmSync(stagingFolder, { recursive: true, force: true });
    mkdirSync(stagingFolder, { mode: 0o700 });
    const copy = storeFileOf(stagingFolder);
    copyStoreFile(file, copy);
    verifyCopy(copy, file);
    // Opening migrates a copy of an older version.
    await openSqlite({ data: stagingFolder, synchronous: 'full' })[Symbol.asyncDispose]();
    const store = storeFileOf(data);
    const isReadable = existsSync(store) && (await checkpointLog(store));
    const report = complete(copy, isReadable ? store : undefined, decision, now);
    flushFile(copy);
    giveToOwner([copy, join(data, LOCK_FILE)], existsSync(store) ? store : data);
    const replaced = existsSync(store) ? renameReplaced(store, now) : undefined;
    renameSync(copy, store);
    flushFile(store);
    return { ...report, replaced };
  } finally {
    rmSync(stagingFolder, { recursive: true, force: true });
    lock.close();
  }
}

/**
 * Gives files to the owner of another file: those that root writes would be closed to the service. Others than root cannot, and
 * need not where the service runs as the same user.
 */
function giveToOwner(files: readonly string[], of: string): void {
  const { uid, gid } = statSync(of);
  for (const file of files) {
    try {
      chownSync(file, uid, gid);
    } catch {
      // The start of the service says which file it cannot open.
    }
  }
}

/**
 * Copies a store file, and beside one that was copied without `backupStore` its write-ahead log: the newest messages may be in
 * the log only, and the file alone would be an older store that looks intact.
 */
function copyStoreFile(file: string, copy: string): void {
  copyFileSync(file, copy);
  chmodSync(copy, 0o600);
  if (!usesWriteAheadLog(copy) || !existsSync(`${file}-wal`)) return;
  copyFileSync(`${file}-wal`, `${copy}-wal`);
  chmodSync(`${copy}-wal`, 0o600);
}

function verifyCopy(copy: string, file: string): void {
  const sqlite = openStoreFile(copy, { readonly: false }, file);
  try {
    requireOwnSchema(sqlite, file);
    const [damage] = findDamage(sqlite);
    if (damage)
      throw new SignalboxError('UNAVAILABLE', `${file} is damaged (${damage.table}: ${damage.message}).`);
  } finally {
    sqlite.close();
  }
}

/** Checkpoints the write-ahead log into the store file. Resolves to false when the store is unreadable or damaged. */
async function checkpointLog(store: string): Promise<boolean> {
  try {
    const sqlite = openStoreFile(store, { readonly: false });
    try {
      requireOwnSchema(sqlite, store);
      if (findDamage(sqlite).length > 0) return false;
      sqlite.pragma('wal_checkpoint(TRUNCATE)');
      return true;
    } finally {
      sqlite.close();
    }
  } catch {
    return false;
  }
}

function complete(
  copy: string,
  replaced: string | undefined,
  decision: RevokedCredentialPolicy,
  now: number,
): Omit<RestoreReport, 'replaced'> {
  const sqlite = openStoreFile(copy, { readonly: false });
  try {
    const isRelated = replaced !== undefined && attach(sqlite, replaced);
    if (decision.kind === 'CARRY_OVER' && !isRelated) {
      throw new SignalboxError(
        'UNAVAILABLE',
        'The data folder has no readable store of the same installation, so it is unknown which credentials were revoked after the copy was made. Pass --revoke-issued-before with a moment before which all credentials are refused, or --accept-revoked-credentials.',
      );
    }
    const finish = sqlite.transaction(() => {
      const carriedOver = decision.kind === 'CARRY_OVER' ? carryOver(sqlite) : undefined;
      return {
        // What was taken over is not undone.
        undone: isRelated ? compareWithReplaced(sqlite) : undefined,
        carriedOver,
        revokedProjects:
          decision.kind === 'REVOKE_ISSUED_BEFORE' ? revokeIssuedBefore(sqlite, decision.epochMs, now) : 0,
        projects: summarize(sqlite),
      };
    });
    const report = finish();
    sqlite.pragma('wal_checkpoint(TRUNCATE)');
    return report;
  } finally {
    sqlite.close();
  }
}

/** Attaches the replaced store. Returns whether it is of the same installation: both hold the same cursor secret. */
function attach(sqlite: Database, replaced: string): boolean {
  sqlite.prepare('attach ? as replaced').run(replaced);
  const row = sqlite
    .prepare(
      `select count(*) as count from main.secrets m join replaced.secrets r on r.name = m.name and r.value = m.value
       where m.name = 'cursors'`,
    )
    .get() as { count: number };
  return row.count === 1;
}

/** Renames the replaced store with its write-ahead log, because SQLite would apply a remaining log to the new store. */
function renameReplaced(store: string, now: number): string {
  const aside = `${store}.replaced-${new Date(now).toISOString().replaceAll(':', '')}`;
  renameSync(store, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(store + suffix)) renameSync(store + suffix, aside + suffix);
  }
  return aside;
}
