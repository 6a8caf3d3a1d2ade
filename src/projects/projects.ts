import { type Clock } from '../clock.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { createProjectStore } from './project-store.ts';
import { DEFAULT_PROJECT, type Project } from './project.ts';

export interface Projects {
  /** @throws CONFLICT when the id is taken, BAD_USER_INPUT when it is no project name. */
  create(input: { id?: string | undefined; name?: string | undefined }): Promise<Project>;
  /** @throws NOT_FOUND */
  get(id: string): Promise<Project>;
  list(page: PageRequest): Promise<Page<Project>>;
  /** Makes project `default` when it is missing. */
  ensureDefault(): Promise<void>;
}

export function createProjects({
  store,
  clock,
  newId,
}: {
  store: Store;
  clock: Clock;
  newId: NewId;
}): Projects {
  const rows = createProjectStore(store);
  return {
    async create(input) {
      const id =
        input.id === undefined
          ? newId('project').replace('_', '-')
          : parseName('project', input.id, 'input.id');
      const project = { id, name: parseText(input.name ?? id, 'input.name'), createdAt: clock.now() };
      if (!(await rows.insert(project)))
        throw new SignalboxError('CONFLICT', `The project “${id}” exists already.`);
      return project;
    },
    async get(id) {
      const project = await rows.find(id);
      if (!project) throw notFound('project', id);
      return project;
    },
    list: (page) => rows.list(page),
    async ensureDefault() {
      await rows.insert({ id: DEFAULT_PROJECT, name: DEFAULT_PROJECT, createdAt: clock.now() });
    },
  };
}
