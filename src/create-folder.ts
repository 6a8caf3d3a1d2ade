import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents, each for its owner only. A folder that exists stays as it is.
 *
 * Not `mkdirSync` with `recursive`: on Node 20 it never returns where the file system refuses a folder with ENOENT, as
 * `/proc` does.
 * @throws the error of `mkdir`; EEXIST also when the path is something else than a folder, ENOENT for a symbolic link to nothing
 */
export function createFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    createFolder(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
