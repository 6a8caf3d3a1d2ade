import { findDamage, summarize, type Damage, type ProjectSummary } from './inspect.ts';
import { openStoreFile, requireOwnSchema, storeFileOf } from './store-file.ts';

export interface CheckReport {
  damage: Damage[];
  /** Empty when the pages of the file are damaged, so that no row can be counted. */
  projects: ProjectSummary[];
}

/**
 * Reads the whole store and changes nothing. Works while a service uses the data folder.
 * @throws UNAVAILABLE when there is no store, or a newer version wrote it
 */
export function checkStore(data: string): CheckReport {
  const file = storeFileOf(data);
  const sqlite = openStoreFile(file, { readonly: true });
  try {
    const damage = findDamage(sqlite);
    if (damage.some(({ place }) => place === undefined)) return { damage, projects: [] };
    requireOwnSchema(sqlite, file);
    return { damage, projects: summarize(sqlite) };
  } finally {
    sqlite.close();
  }
}
