import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { DAMAGED } from '../store/columns.ts';
import { type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { projects } from './tables.ts';
import { type ProjectSettings } from './project-settings.ts';
import { type Project } from './project.ts';

/** A project as stored: `settings` holds only the values that differ from the defaults. */
export type ProjectRow = Omit<Project, 'settings'> & { settings: Partial<ProjectSettings> };

/** Reads and writes the rows of projects. */
export function createProjectStore({ db, reportDamage }: Store) {
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
    /** Results in false, and writes nothing, when the stored settings are no longer those of `before`; damaged ones are replaced. */
    setSettings:
      (before: ProjectRow, settings: Partial<ProjectSettings>): Write<boolean> =>
      async (rows) => {
        // The text is compared: PostgreSQL cannot compare JSON.
        const isUnchanged = before.isDamaged
          ? undefined
          : sql`cast(${projects.settings} as text) = ${JSON.stringify(before.settings)}`;
        const written = await rows.db
          .update(projects)
          .set({ settings })
          .where(and(eq(projects.id, before.id), isUnchanged))
          .returning({ id: projects.id });
        return written.length > 0;
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
