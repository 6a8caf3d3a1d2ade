import { and, asc, eq, gt, not, sql, type SQL } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { DAMAGED } from '../store/columns.ts';
import { type Store } from '../store/store.ts';
import { createLockProject } from '../store/project-lock.ts';
import { type Write } from '../store/write.ts';
import { projects } from './tables.ts';
import { type ProjectSettings } from './project-settings.ts';
import { type Project } from './project.ts';

/** A project as stored: `settings` holds only the values that differ from the defaults. */
export type ProjectRow = Omit<Project, 'settings'> & { settings: Partial<ProjectSettings> };

/** The condition that the project has a channel of at least one of these kinds. */
export type HasChannelsOf = (projectId: string, kinds: readonly string[]) => SQL;

/** Reads and writes the rows of projects. */
export function createProjectStore(store: Store) {
  const { db, reportDamage } = store;
  const lockProject = createLockProject(store);
  const toRow = ({ settings, ...row }: typeof projects.$inferSelect): ProjectRow => {
    if (settings !== DAMAGED) return { ...row, settings };
    reportDamage('projects', row.id);
    return { ...row, settings: {}, isDamaged: true };
  };

  const findOne = db
    .select()
    .from(projects)
    .where(eq(projects.id, sql.placeholder('id')))
    .prepare();

  /** The condition that the stored settings are still those of the row. Damaged ones are not compared. */
  const isUnchanged = ({ id, settings, isDamaged }: ProjectRow) =>
    // The text is compared: PostgreSQL cannot compare JSON.
    and(
      eq(projects.id, id),
      isDamaged ? undefined : sql`cast(${projects.settings} as text) = ${JSON.stringify(settings)}`,
    );

  return {
    /** Resolves to false, and writes nothing, when the id is taken. */
    async insert(project: Omit<ProjectRow, 'settings'>): Promise<boolean> {
      const rows = await db.insert(projects).values(project).onConflictDoNothing().returning();
      return rows.length > 0;
    },
    async find(id: string): Promise<ProjectRow | undefined> {
      const [row] = await findOne.execute({ id });
      return row && toRow(row);
    },
    /**
     * Results in CHANGED, and writes nothing, when the stored settings are no longer those of `before`; damaged ones are replaced.
     * @param isInUse the condition that the settings are in use; if it is true, results in IN_USE and writes nothing
     */
    setSettings:
      (
        before: ProjectRow,
        settings: Partial<ProjectSettings>,
        isInUse?: SQL,
      ): Write<'WRITTEN' | 'CHANGED' | 'IN_USE'> =>
      async (rows) => {
        // PostgreSQL evaluates a condition on other tables before it waits for the row, so the wait must be over.
        if (isInUse) await lockProject(rows, before.id);
        const written = await rows.db
          .update(projects)
          .set({ settings })
          .where(and(isUnchanged(before), isInUse && not(isInUse)))
          .returning({ id: projects.id });
        if (written.length > 0) return 'WRITTEN';
        if (!isInUse) return 'CHANGED';
        const used = await rows.db
          .select({ id: projects.id })
          .from(projects)
          .where(and(isUnchanged(before), isInUse));
        return used.length > 0 ? 'IN_USE' : 'CHANGED';
      },
    async list({ first, after }: PageRequest): Promise<Page<ProjectRow>> {
      const rows = await db
        .select()
        .from(projects)
        .where(after === undefined ? undefined : gt(projects.id, after))
        .orderBy(asc(projects.id))
        .limit(first + 1);
      return pageOf(rows.map(toRow), first);
    },
  };
}
