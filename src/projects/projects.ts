import { type Clock } from '../clock.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import {
  defaultSettings,
  parseSettings,
  requireConsistent,
  type ProjectSettings,
} from './project-settings.ts';
import { createProjectStore, type ProjectRow } from './project-store.ts';
import { DEFAULT_PROJECT, type Project } from './project.ts';

/** Tells every node that a project decides otherwise now. */
export type AnnounceProject = (change: {
  kind: 'PROJECT_UPDATED';
  projectId: string;
  settings: ProjectSettings;
}) => Promise<unknown>;

export interface Projects {
  /** @throws CONFLICT when the id is taken, BAD_USER_INPUT when it is no project name. */
  create(input: { id?: string | undefined; name?: string | undefined }): Promise<Project>;
  /** @throws NOT_FOUND */
  get(id: string): Promise<Project>;
  /**
   * Changes the settings that are named; live connections feel it before this returns.
   * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT when a kind is taken away, or its type changed, while there are channels of it
   */
  update(id: string, change: Partial<ProjectSettings>): Promise<Project>;
  /** The settings as they hold now: one object until they change. @throws NOT_FOUND */
  settingsOf(id: string): Promise<ProjectSettings>;
  /** What any node announced. */
  onSettingsChanged(id: string, settings: ProjectSettings): void;
  list(page: PageRequest): Promise<Page<Project>>;
  /** Makes project `default` when it is missing. */
  ensureDefault(): Promise<void>;
}

export function createProjects(parts: {
  store: Store;
  clock: Clock;
  newId: NewId;
  isProduction: boolean;
  announce: AnnounceProject;
  /** Whether the project has channels of any of these kinds. */
  hasChannelsOf: (projectId: string, kinds: readonly string[]) => Promise<boolean>;
}): Projects {
  const { store, clock, newId, isProduction, announce, hasChannelsOf } = parts;
  const rows = createProjectStore(store);
  const turns = createKeyedMutex();
  /** Every connect and every publish asks; every connection holds them. */
  const current = new Map<string, ProjectSettings>();

  const withDefaults = (row: ProjectRow): Project => ({
    ...row,
    settings: { ...defaultSettings(isProduction), ...row.settings },
  });

  async function find(id: string): Promise<ProjectRow> {
    const row = await rows.find(id);
    if (!row) throw notFound('project', id);
    return row;
  }

  /** A channel keeps the kind that it was made with: it must not be freer, all of a sudden, than its kind was. */
  async function requireKinds(id: string, before: ProjectSettings, after: ProjectSettings): Promise<void> {
    const types = new Map(after.permissions.kinds.map(({ name, type }) => [name, type]));
    const gone = before.permissions.kinds.filter(({ name, type }) => types.get(name) !== type);
    const names = gone.map(({ name }) => name);
    if (names.length === 0 || !(await hasChannelsOf(id, names))) return;
    throw new SignalboxError('CONFLICT', `There are channels of these kinds: ${names.join(', ')}.`);
  }

  return {
    async create(input) {
      const id =
        input.id === undefined
          ? newId('project').replace('_', '-')
          : parseName('project', input.id, 'input.id');
      const project = { id, name: parseText(input.name ?? id, 'input.name'), createdAt: clock.now() };
      if (!(await rows.insert(project)))
        throw new SignalboxError('CONFLICT', `The project “${id}” exists already.`);
      return withDefaults({ ...project, settings: {} });
    },
    get: async (id) => withDefaults(await find(id)),
    async settingsOf(id) {
      const known = current.get(id);
      if (known) return known;
      const { settings } = withDefaults(await find(id));
      if (!current.has(id)) current.set(id, settings);
      return current.get(id) ?? settings;
    },
    onSettingsChanged: (id, settings) => void current.set(id, settings),
    update: (id, change) =>
      turns(id, async () => {
        const row = await find(id);
        const settings = { ...row.settings, ...parseSettings(change) };
        const after = withDefaults({ ...row, settings });
        requireConsistent(after.settings);
        await requireKinds(id, withDefaults(row).settings, after.settings);
        await rows.setSettings(id, settings);
        await announce({ kind: 'PROJECT_UPDATED', projectId: id, settings: after.settings });
        return after;
      }),
    async list(page) {
      const { items, hasMore } = await rows.list(page);
      return { items: items.map(withDefaults), hasMore };
    },
    async ensureDefault() {
      await rows.insert({ id: DEFAULT_PROJECT, name: DEFAULT_PROJECT, createdAt: clock.now() });
    },
  };
}
