import { type Clock } from '../clock.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type Announce } from '../store/write.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import {
  defaultSettings,
  parseSettings,
  requireConsistent,
  type ProjectSettings,
  type SettingsChange,
} from './project-settings.ts';
import { createProjectStore, type HasChannelsOf, type ProjectRow } from './project-store.ts';
import { DEFAULT_PROJECT, requireSettings, type Project } from './project.ts';

/** Writes new settings and announces them to every node. */
export type AnnounceProject = Announce<{
  kind: 'PROJECT_UPDATED';
  projectId: string;
  settings: ProjectSettings;
}>;

export interface Projects {
  /**
   * Creates a project with default settings. `id` is generated when absent; `name` defaults to the id.
   * @throws CONFLICT when the id is taken, BAD_USER_INPUT when the id or the name is invalid
   */
  create(input: { id?: string | undefined; name?: string | undefined }): Promise<Project>;
  /** @throws NOT_FOUND */
  get(id: string): Promise<Project>;
  /**
   * Changes the given settings. Live connections have applied them before this returns.
   * @throws NOT_FOUND, BAD_USER_INPUT
   * @throws CONFLICT when a channel kind is removed or gets another type while channels of this kind exist
   */
  update(id: string, change: SettingsChange): Promise<Project>;
  /** The effective settings: the same object until they change. @throws NOT_FOUND */
  settingsOf(id: string): Promise<ProjectSettings>;
  /** Applies settings that a node announced. */
  onSettingsChanged(id: string, settings: ProjectSettings): void;
  /** Drops all cached settings. */
  invalidateAll(): void;
  list(page: PageRequest): Promise<Page<Project>>;
  /** Creates the project `default` unless it exists. */
  ensureDefault(): Promise<{ createdAt: number }>;
}

/** Attempts before an update fails with CONFLICT. An attempt fails when another node changes the settings meanwhile. */
const MAX_UPDATE_ATTEMPTS = 10;

export function createProjects(deps: {
  store: Store;
  clock: Clock;
  newId: NewId;
  isProduction: boolean;
  announce: AnnounceProject;
  hasChannelsOf: HasChannelsOf;
}): Projects {
  const { store, clock, newId, isProduction, announce, hasChannelsOf } = deps;
  const rows = createProjectStore(store);
  const mutex = createKeyedMutex();
  /** Cached, because every connect and every publish reads the settings; every connection refers to this object. */
  const settingsCache = new Map<string, ProjectSettings>();
  /** Settings that were read before a reset must not be cached after it. */
  let resets = 0;

  const withDefaults = (row: ProjectRow): Project => ({
    ...row,
    settings: { ...defaultSettings(isProduction), ...row.settings },
  });

  async function find(id: string): Promise<ProjectRow> {
    const row = await rows.find(id);
    if (!row) throw notFound('project', id);
    return row;
  }

  /** Undefined: another node has changed the settings since they were read. */
  async function tryUpdate(id: string, change: SettingsChange): Promise<Project | undefined> {
    const before = await find(id);
    const { isDamaged: _, ...row } = before;
    const permissions = change.permissions && {
      ...withDefaults(row).settings.permissions,
      ...change.permissions,
    };
    const { permissions: __, ...others } = change;
    const settings = {
      ...row.settings,
      ...parseSettings({ ...others, ...(permissions && { permissions }) }),
    };
    const after = withDefaults({ ...row, settings });
    requireConsistent(after.settings);
    // Channels keep the type of their kind, so a kind with channels must neither disappear nor change its type.
    const kinds = changedKinds(withDefaults(row).settings, after.settings);
    const isInUse = kinds.length === 0 ? undefined : hasChannelsOf(id, kinds);
    const { result } = await announce(rows.setSettings(before, settings, isInUse), (outcome) =>
      outcome === 'WRITTEN'
        ? { kind: 'PROJECT_UPDATED', projectId: id, settings: after.settings }
        : undefined,
    );
    if (result === 'IN_USE')
      throw new SignalboxError(
        'CONFLICT',
        `Channel kinds in use cannot be removed or change their type: ${kinds.join(', ')}. Change or delete their channels first.`,
      );
    return result === 'WRITTEN' ? after : undefined;
  }

  return {
    async create(input) {
      const id =
        input.id === undefined
          ? newId('project').replace('_', '-')
          : parseName('project', input.id, 'input.id');
      const project = { id, name: parseText(input.name ?? id, 'input.name'), createdAt: clock.now() };
      if (!(await rows.insert(project)))
        throw new SignalboxError('CONFLICT', `The project “${id}” already exists.`);
      return withDefaults({ ...project, settings: {} });
    },
    get: async (id) => withDefaults(await find(id)),
    async settingsOf(id) {
      const cached = settingsCache.get(id);
      if (cached) return cached;
      const resetsBefore = resets;
      const settings = requireSettings(withDefaults(await find(id)));
      if (!settingsCache.has(id) && resets === resetsBefore) settingsCache.set(id, settings);
      return settingsCache.get(id) ?? settings;
    },
    onSettingsChanged: (id, settings) => void settingsCache.set(id, settings),
    invalidateAll() {
      resets++;
      settingsCache.clear();
    },
    update: (id, change) =>
      mutex(id, async () => {
        for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt++) {
          const updated = await tryUpdate(id, change);
          if (updated) return updated;
        }
        throw new SignalboxError('CONFLICT', `The project “${id}” is being changed by others. Try again.`);
      }),
    async list(page) {
      const { items, hasMore } = await rows.list(page);
      return { items: items.map(withDefaults), hasMore };
    },
    async ensureDefault() {
      const project = { id: DEFAULT_PROJECT, name: DEFAULT_PROJECT, createdAt: clock.now() };
      await rows.insert(project);
      return (await rows.find(DEFAULT_PROJECT)) ?? project;
    },
  };
}

/** The names of the channel kinds that disappear or get another type. */
function changedKinds(before: ProjectSettings, after: ProjectSettings): string[] {
  const types = new Map(after.permissions.kinds.map(({ name, type }) => [name, type]));
  const changed = before.permissions.kinds.filter(({ name, type }) => types.get(name) !== type);
  return changed.map(({ name }) => name);
}
