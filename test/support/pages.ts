import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every Markdown page of the repository, by its path from the root. */
export function listPages(): string[] {
  const under = (folder: string) =>
    readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    );
  const readmes = readdirSync(`${ROOT}/packages`).map((name) => `packages/${name}/README.md`);
  const all = [...readdirSync(ROOT), ...under('docs'), ...under('examples'), ...under('bench'), ...readmes];
  return all.filter((file) => file.endsWith('.md') && existsSync(`${ROOT}/${file}`));
}
