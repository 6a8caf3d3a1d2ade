import { eq, sql } from 'drizzle-orm';
import { type Store } from '../store/store.ts';
import { type RowWriter } from '../store/write.ts';
import { projects } from './tables.ts';

/** Waits until no other transaction holds the lock of the project, and holds it until this transaction ends. */
export type LockProject = (rows: RowWriter, projectId: string) => Promise<void>;

/**
 * Keeps changes of a project apart on all nodes, for limits and conflicts that no unique index can express: of two changes at the
 * same moment, the second one reads what the first one wrote. Take it before any other lock. On SQLite it does nothing: this process
 * is the only writer, and keeps changes apart with a mutex.
 */
export const createLockProject =
  ({ lockingRows }: Pick<Store, 'lockingRows'>): LockProject =>
  async (rows, projectId) => {
    await rows.db
      .select({ id: projects.id })
      .from(projects)
      .where(sql`${eq(projects.id, projectId)} ${lockingRows}`);
  };
