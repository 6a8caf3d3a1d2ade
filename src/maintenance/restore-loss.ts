import { type Database } from 'better-sqlite3';

/** How many rows of a project a restore loses: those that are in the replaced store and not in the copy. */
export interface RestoreLoss {
  projectId: string;
  messages: number;
  tokens: number;
  channels: number;
}

/** Compares the main store with the one attached as `replaced`. */
export function compareWithReplaced(sqlite: Database): RestoreLoss[] {
  return sqlite
    .prepare(
      `select l.project_id as projectId,
         max(0, l.head - coalesce((select head from main.logs m where m.project_id = l.project_id), 0)) as messages,
         (select count(*) from replaced.tokens t
           where t.project_id = l.project_id and t.id not in (select id from main.tokens)) as tokens,
         (select count(*) from replaced.channels c where c.project_id = l.project_id
           and not exists (select 1 from main.channels m
             where m.project_id = c.project_id and m.id = c.id)) as channels
       from replaced.logs l order by l.project_id`,
    )
    .all() as RestoreLoss[];
}
