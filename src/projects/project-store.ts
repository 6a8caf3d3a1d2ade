import { asc, eq, gt } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { projects } from '../store/tables.ts';
import { type Project } from './project.ts';

/** The rows of projects. */
export function createProjectStore({ db }: Store) {
  return {
    /** False when the id is taken. */
    async insert(project: Project): Promise<boolean> {
      const rows = await db.insert(projects).values(project).onConflictDoNothing().returning();
      return rows.length > 0;
    },
    async find(id: string): Promise<Project | undefined> {
      const [row] = await db.select().from(projects).where(eq(projects.id, id));
      return row;
    },
    async list({ first, after }: PageRequest): Promise<Page<Project>> {
      const rows = await db
        .select()
        .from(projects)
        .where(after === undefined ? undefined : gt(projects.id, after))
        .orderBy(asc(projects.id))
        .limit(first + 1);
      return pageOf(rows, first);
    },
  };
}
