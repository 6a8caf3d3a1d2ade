import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../support/folder.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The packages, each after those that it needs. */
export const PACKAGES = readdirSync(join(ROOT, 'packages')).sort();

/**
 * Packs a built package, as `npm publish` does, and returns the path of the tarball.
 * @param name a folder of `packages`, or `..` for the service
 */
export function pack(name: string, folder: string): string {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const cwd = join(ROOT, 'packages', name);
  const output = execFileSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const [, file = ''] = /"filename":\s*"([^"]+)"/.exec(output) ?? [];
  return join(folder, file.replace('@', '').replace('/', '-'));
}

export interface Project extends Disposable {
  readonly path: string;
  write(file: string, text: string): void;
  /** The names of the packages that are installed at the top, in order. */
  installed(): string[];
}

/** An empty project outside the repository into which the tarballs of some packages are installed. */
export function createProject(names: readonly string[], also: readonly string[] = []): Project {
  const folder = createFolder();
  const write = (file: string, text: string) => writeFileSync(join(folder.path, file), text);
  write('package.json', JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const tarballs = names.map((name) => pack(name, folder.path));
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, ...also];
  execFileSync('npm', args, { cwd: folder.path, stdio: 'pipe' });
  return {
    path: folder.path,
    write,
    installed: () => readdirSync(join(folder.path, 'node_modules')).filter((name) => !name.startsWith('.')),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
