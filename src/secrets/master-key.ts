import { chmodSync, existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MASTER_KEY_ENV, MIN_MASTER_KEY_LENGTH } from '../config.ts';
import { MASTER_KEY_FILE } from '../store/data-folder.ts';
import { SignalboxError } from '../errors.ts';
import { type Store } from '../store/store.ts';
import { hasSecret, readSecret } from './secret-store.ts';
import { type Vault } from './vault.ts';

const FILE = MASTER_KEY_FILE;
const OWNER_ONLY = 0o600;

/**
 * The master keys that encrypt secrets at rest: first the configured keys, then the key in the data folder.
 * Without either, generates a key and writes it to the data folder; see `needsNewKey`. With the data folder `:memory:`, reads
 * and writes no file.
 * @param generate returns the random bytes of a new key
 * @throws UNAVAILABLE when other users can access the key file, the file holds no key, or a new one cannot be written
 */
export function readMasterKeys(
  data: string,
  configured: readonly string[],
  generate: () => Uint8Array,
): [string, ...string[]] {
  const [first, ...others] = configured;
  if (data === ':memory:') return first === undefined ? [toText(generate())] : [first, ...others];
  const file = join(data, FILE);
  const stored = readKeyFile(file);
  if (first !== undefined) return [first, ...others, ...(stored === undefined ? [] : [stored])];
  if (stored !== undefined) return [stored];
  const generated = toText(generate());
  writeKeyFile(file, generated);
  return [generated];
}

/** Writes the file whole or not at all: half a key would end the next start. */
function writeKeyFile(file: string, key: string): void {
  const draft = `${file}.new`;
  try {
    rmSync(draft, { force: true });
    // Flush the key to disk before anything is encrypted under it.
    writeFileSync(draft, `${key}\n`, { mode: OWNER_ONLY, flag: 'wx', flush: true });
    // The umask can remove permissions from the mode above; chmod ignores the umask.
    chmodSync(draft, OWNER_ONLY);
    // Unlike a rename, a link never replaces a key that another process wrote meanwhile.
    linkSync(draft, file);
  } catch (cause) {
    const { message } = cause as Error;
    throw new SignalboxError(
      'UNAVAILABLE',
      `The master key cannot be written: ${message}. Nothing was changed.`,
      {
        cause,
      },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether `readMasterKeys` would generate a key. */
export function needsNewKey(data: string, configured: readonly string[]): boolean {
  return configured.length === 0 && data !== ':memory:' && !existsSync(join(data, FILE));
}

/**
 * Says which master key a start would use, without generating one.
 * @throws UNAVAILABLE as `readMasterKeys`, and when the store was written under a key that is gone
 */
export function checkMasterKeyFile(data: string, configured: readonly string[]): string {
  const file = join(data, FILE);
  const isStored = readKeyFile(file) !== undefined;
  if (configured.length > 0) return `${MASTER_KEY_ENV} is set.`;
  if (isStored)
    return `${file} holds the key, and only its owner can read it. Keep a copy apart from the backups.`;
  return `There is no key yet; the service writes one to ${file}.`;
}

function readKeyFile(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    throw new SignalboxError(
      'UNAVAILABLE',
      `${file} has mode ${mode}, so other users can access it. Run chmod 600 on the file.`,
    );
  }
  if (!stat.isFile()) throw cannotBeRead(file, new Error('it is not a regular file'));
  const text = readText(file).trim();
  if (text.length >= MIN_MASTER_KEY_LENGTH) return text;
  throw new SignalboxError(
    'UNAVAILABLE',
    `${file} holds no master key: it has ${text.length} characters, and at least ${MIN_MASTER_KEY_LENGTH} are required. Restore the file, or delete it if this data folder was never used.`,
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw cannotBeRead(file, cause as Error);
  }
}

function cannotBeRead(file: string, cause: Error) {
  return new SignalboxError(
    'UNAVAILABLE',
    `The master key cannot be read: ${cause.message}. Give ${file} to the user that runs the service.`,
    { cause },
  );
}

const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** The name of the secret that `verifyMasterKey` opens. */
export const CHECK_SECRET = 'vault';
/** The owner that it is sealed for. */
export const CHECK_OWNER = 'check';

/**
 * Refuses to generate a key beside a store whose secrets are sealed: the new key would open none of them, and a copy of
 * the folder would take it for the right one.
 * @throws UNAVAILABLE
 */
export async function requireNoSealedStore(store: Store): Promise<void> {
  if (!(await hasSecret(store, CHECK_SECRET))) return;
  throw new SignalboxError(
    'UNAVAILABLE',
    `The data folder has no ${FILE}, but its store was written under a master key. Put the file back, or set ${MASTER_KEY_ENV} to that key.`,
  );
}

/**
 * Verifies that the vault opens the secrets of this store, with a known secret that is sealed at the first
 * start.
 * @throws UNAVAILABLE when the store was written under another master key
 */
export async function verifyMasterKey(vault: Vault, store: Store): Promise<void> {
  const sealed = await vault.seal(Buffer.from('signalbox'), CHECK_OWNER);
  const stored = await readSecret(store, CHECK_SECRET, () => Buffer.from(sealed));
  try {
    await vault.open(Buffer.from(stored).toString(), CHECK_OWNER);
  } catch {
    throw new SignalboxError(
      'UNAVAILABLE',
      `The store was written under another master key. Set ${MASTER_KEY_ENV} to that key, or to a new key followed by a comma and that key.`,
    );
  }
}
