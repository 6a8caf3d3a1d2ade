import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext } from 'vitest';
import { createFolder } from './folder.ts';

/** A file system of a few megabytes in memory, which a test can fill up. Unmounted when disposed. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Writes a file until the disk has no space left, or has only this many bytes left. */
  fill(leftBytes?: number): void;
  /** Removes the file that `fill` wrote. */
  free(): void;
}

const missing = findMissing();
if (missing) process.stderr.write(`Tests on a full disk are skipped. ${missing}\n`);

function findMissing(): string | undefined {
  try {
    mountSmallDisk(1)[Symbol.dispose]();
    return undefined;
  } catch {
    return 'This user may not mount a tmpfs: run the tests as root.';
  }
}

/** Skips the test when no disk can be mounted, or fails it when `REQUIRE_SERVERS=1`. */
export function requireSmallDisk({ skip }: TestContext): void {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
}

export function mountSmallDisk(megabytes: number): SmallDisk {
  const folder = createFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder.path], {
      stdio: 'ignore',
    });
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  const filler = join(folder.path, 'filler');
  return {
    path: folder.path,
    fill(leftBytes = 0) {
      const file = openSync(filler, 'a');
      try {
        for (const size of [65_536, 4096, 512]) writeUntilFull(file, Buffer.alloc(size));
        ftruncateSync(file, fstatSync(file).size - leftBytes);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.dispose]() {
      execFileSync('umount', ['--lazy', folder.path], { stdio: 'ignore' });
      folder[Symbol.dispose]();
    },
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
