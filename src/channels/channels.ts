import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseJson, parseName, type Json } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type ChannelType } from '../projects/permissions.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { actorOf, requireApiKey, type Caller } from '../tokens/caller.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { createAccess, type Access } from './access.ts';
import { createChannelStore } from './channel-store.ts';
import { type AnnounceChannel, type Channel } from './channel.ts';
import { createMembershipStore } from './membership-store.ts';
import { mergePatch } from './merge-patch.ts';

export interface ChannelInput {
  type?: ChannelType | undefined;
  /** A kind of the project's own, which brings its type. Not together with `type`, which takes a kind away. */
  kind?: string | undefined;
  historyMessages?: number | null | undefined;
  historySeconds?: number | null | undefined;
}

export interface Channels {
  /** @throws CONFLICT when the id is taken, BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
  create(
    caller: Caller,
    input: ChannelInput & { id?: string | undefined; state?: unknown },
  ): Promise<Channel>;
  /** Live subscriptions are judged anew before this returns. @throws NOT_FOUND, BAD_USER_INPUT */
  update(caller: Caller, id: string, input: ChannelInput): Promise<Channel>;
  /** Ends its memberships and subscriptions too. @throws NOT_FOUND */
  remove(caller: Caller, id: string): Promise<Channel>;
  /** @throws CONFLICT when the channel has another version than `ifVersion`. */
  setState(caller: Caller, id: string, state: unknown, ifVersion?: number): Promise<Channel>;
  /** RFC 7396. @throws CONFLICT when the channel has another version than `ifVersion`. */
  patchState(caller: Caller, id: string, patch: unknown, ifVersion?: number): Promise<Channel>;
  list(caller: Caller, page: PageRequest, type?: ChannelType): Promise<Page<Channel>>;
  find(projectId: string, id: string): Promise<Channel | undefined>;
  /** Makes a PRIVATE channel where there is none of this id. */
  ensure(projectId: string, id: string, actor: string): Promise<void>;
  readonly access: Access;
  /** Runs `work` while nobody else of this node changes the channel, so that reading it and telling of it are one step. */
  serialize<T>(projectId: string, id: string, work: () => Promise<T>): Promise<T>;
}

/** A patch is tried so often while other nodes change the same state; then its caller is told. */
const MAX_PATCH_ATTEMPTS = 20;

export function createChannels(parts: {
  store: Store;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  config: Config;
  announce: AnnounceChannel;
  audit: Audit;
  logHead: (projectId: string) => Promise<number>;
}): Channels {
  const { store, settingsOf, clock, newId, config, announce, audit, logHead } = parts;
  const rows = createChannelStore(store);
  const access = createAccess({ findChannel: rows.find, findMembership: createMembershipStore(store).find });

  const mutex = createKeyedMutex();
  const serialize: Channels['serialize'] = (projectId, id, work) => mutex(`${projectId}\n${id}`, work);

  const blankChannel = async (projectId: string, id: string): Promise<Channel> => ({
    projectId,
    id,
    type: 'PRIVATE',
    kind: null,
    state: {},
    version: 1,
    createdAfter: await logHead(projectId),
    createdAt: clock.now(),
    historyMessages: null,
    historySeconds: null,
  });

  /** What `input` says of who may enter. */
  async function parseKind(
    projectId: string,
    { type, kind }: ChannelInput,
  ): Promise<Partial<Pick<Channel, 'type' | 'kind'>>> {
    if (kind === undefined) return type === undefined ? {} : { type, kind: null };
    if (type !== undefined) throw badInput('input.kind', 'cannot stand beside type: it brings its own.');
    const { kinds } = (await settingsOf(projectId)).permissions;
    const known = kinds.find(({ name }) => name === kind);
    if (!known) throw badInput('input.kind', 'names no kind of this project’s settings.');
    return { type: known.type, kind };
  }

  async function saveState(before: Channel, state: Json, ifVersion?: number): Promise<Channel | undefined> {
    const { projectId, id } = before;
    const channel = await rows.setState(
      projectId,
      id,
      parseJson(state, config.maxStateBytes, 'state'),
      ifVersion,
    );
    if (channel) await announce({ kind: 'CHANNEL_STATE_UPDATED', projectId, channel });
    return channel;
  }

  /** Backends set state all day; what a moderator does is moderation. */
  function auditState(caller: Caller, id: string): void {
    if (caller.kind !== 'TOKEN') return;
    audit({ action: 'channel.state', projectId: caller.projectId, actor: actorOf(caller), subject: id });
  }

  async function conflict(caller: Caller, id: string): Promise<SignalboxError> {
    const now = await rows.find(caller.projectId, id);
    if (!now) return notFound('channel', id);
    return new SignalboxError('CONFLICT', `The channel “${id}” has version ${now.version}.`, {
      version: now.version,
    });
  }

  return {
    async create(caller, input) {
      requireApiKey(caller);
      const { projectId } = caller;
      const id = input.id === undefined ? newId('channel') : parseName('channel', input.id, 'input.id');
      const channel: Channel = {
        ...(await blankChannel(projectId, id)),
        state: parseJson(input.state ?? {}, config.maxStateBytes, 'input.state'),
        ...(await parseKind(projectId, input)),
        ...parsePolicy(input, config),
      };
      if (!(await rows.insert(channel)))
        throw new SignalboxError('CONFLICT', `The channel “${id}” exists already.`);
      audit({ action: 'channel.create', projectId, actor: actorOf(caller), subject: id });
      return channel;
    },
    async update(caller, id, input) {
      requireApiKey(caller);
      const { projectId } = caller;
      const change = { ...(await parseKind(projectId, input)), ...parsePolicy(input, config) };
      return serialize(projectId, id, async () => {
        const channel = await rows.update(projectId, id, change);
        if (!channel) throw notFound('channel', id);
        await announce({ kind: 'CHANNEL_UPDATED', projectId, channel });
        audit({ action: 'channel.update', projectId, actor: actorOf(caller), subject: id });
        return channel;
      });
    },
    async remove(caller, id) {
      requireApiKey(caller);
      const { projectId } = caller;
      return serialize(projectId, id, async () => {
        const channel = await rows.find(projectId, id);
        if (!channel) throw notFound('channel', id);
        await rows.remove(projectId, id);
        await announce({ kind: 'CHANNEL_DELETED', projectId, channelId: id });
        audit({ action: 'channel.delete', projectId, actor: actorOf(caller), subject: id });
        return channel;
      });
    },
    setState: (caller, id, state, ifVersion) =>
      serialize(caller.projectId, id, async () => {
        const { channel } = await access.require(caller, 'MODERATE', id);
        const saved = await saveState(channel, state as Json, ifVersion);
        if (!saved) throw await conflict(caller, id);
        auditState(caller, id);
        return saved;
      }),
    patchState: (caller, id, patch, ifVersion) =>
      serialize(caller.projectId, id, async () => {
        for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
          const { channel } = await access.require(caller, 'MODERATE', id);
          if (ifVersion !== undefined && ifVersion !== channel.version) break;
          const patched = mergePatch(channel.state, parseJson(patch, config.maxStateBytes, 'patch'));
          const saved = await saveState(channel, patched, channel.version);
          if (saved) {
            auditState(caller, id);
            return saved;
          }
        }
        throw await conflict(caller, id);
      }),
    async list(caller, page, type) {
      requireApiKey(caller);
      return rows.list(caller.projectId, page, type);
    },
    find: (projectId, id) => rows.find(projectId, id),
    async ensure(projectId, id, actor) {
      if (await rows.find(projectId, id)) return;
      if (await rows.insert(await blankChannel(projectId, id)))
        audit({ action: 'channel.create', projectId, actor, subject: id });
    },
    access,
    serialize,
  };
}

function parsePolicy({ historyMessages, historySeconds }: ChannelInput, config: Config) {
  return {
    ...(historyMessages !== undefined && {
      historyMessages: parseBound(historyMessages, config.retentionMessages, 'input.history.messages'),
    }),
    ...(historySeconds !== undefined && {
      historySeconds: parseBound(historySeconds, config.retentionSeconds, 'input.history.seconds'),
    }),
  };
}

function parseBound(value: number | null, max: number, field: string): number | null {
  if (value === null || (value >= 0 && value <= max)) return value;
  throw badInput(field, `is ${value}; it must be 0–${max}, or null for as much as the service keeps.`);
}
