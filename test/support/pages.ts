import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every Markdown page of the repository, by its path from the root. */
export function listPages(): string[] {
  const under = (folder: string) =>
    readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    );
  return [...readdirSync(ROOT), ...under('docs'), ...under('examples'), ...under('bench')].filter((file) =>
    file.endsWith('.md'),
  );
}
