import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIN_MASTER_KEY_LENGTH } from '../config.ts';
import { SignalboxError } from '../errors.ts';

const FILE = 'master.key';
const OWNER_ONLY = 0o600;

/**
 * The texts under which secrets are encrypted at rest: those that are given, then the one in the data folder. Where
 * there is neither, one is made there.
 * @throws UNAVAILABLE when others than its owner may read the file, or it holds no key
 */
export function readMasterKeys(
  data: string,
  given: readonly string[],
  make: () => Uint8Array,
): [string, ...string[]] {
  const [first, ...others] = given;
  if (data === ':memory:') return first === undefined ? [toText(make())] : [first, ...others];
  const file = join(data, FILE);
  const kept = readKept(file);
  if (first !== undefined) return [first, ...others, ...(kept === undefined ? [] : [kept])];
  if (kept !== undefined) return [kept];
  const made = toText(make());
  // On the disk before anything is encrypted under it.
  writeFileSync(file, `${made}\n`, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  // The mode above is cut by the umask, which may also add nothing: this one is what it says.
  chmodSync(file, OWNER_ONLY);
  return [made];
}

function readKept(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    throw new SignalboxError(
      'UNAVAILABLE',
      `${file} has the mode ${mode}; others may not read it: chmod 600.`,
    );
  }
  const text = readFileSync(file, 'utf8').trim();
  if (text.length >= MIN_MASTER_KEY_LENGTH) return text;
  throw new SignalboxError(
    'UNAVAILABLE',
    `${file} holds no master key: it has ${text.length} characters, and at least ${MIN_MASTER_KEY_LENGTH} are needed. Restore it; or remove it, if this data folder was never in use.`,
  );
}

const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
