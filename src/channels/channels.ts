import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseJson, parseName } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type ChannelKind, type ChannelType } from '../projects/permissions.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { actorOf, requireApiKey, type Caller } from '../tokens/caller.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { asReadBy, createAccess, type Access } from './access.ts';
import { createStateChanges, type StateChanges } from './state-changes.ts';
import { createChannelStore } from './channel-store.ts';
import { type AnnounceChannel, type Channel, type ChannelChange } from './channel.ts';
import { createMembershipStore } from './membership-store.ts';

export interface ChannelInput {
  type?: ChannelType | undefined;
  /** A channel kind that the project defines; it determines the type. Mutually exclusive with `type`, which clears the kind. */
  kind?: string | undefined;
  /** Messages that the log keeps: 0 to `retentionMessages`; null: as many as the service keeps. */
  historyMessages?: number | null | undefined;
  /** Seconds that the log keeps a message: 0 to `retentionSeconds`; null: as long as the service does. */
  historySeconds?: number | null | undefined;
}

/** A channel and the number of memberships that its change of type ended. */
export interface UpdatedChannel {
  channel: Channel;
  endedMemberships: number;
}

export interface Channels extends StateChanges {
  /**
   * Creates a channel: PRIVATE with the state `{}` unless `input` says otherwise. For API keys.
   * @throws CONFLICT when the id is taken, or when the kind gets another type at the same moment
   * @throws BAD_USER_INPUT, PAYLOAD_TOO_LARGE, FORBIDDEN, UNAUTHENTICATED
   */
  create(
    caller: Caller,
    input: ChannelInput & { id?: string | undefined; state?: unknown },
  ): Promise<Channel>;
  /**
   * Changes the given fields. Live subscriptions are authorized again before this returns. When the channel becomes
   * PRIVATE, the memberships of tokens that had subscribed themselves end, unless `keepsMemberships` is true. For API keys.
   * @throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED
   * @throws CONFLICT when the kind gets another type at the same moment; memberships may have ended then
   */
  update(
    caller: Caller,
    id: string,
    input: ChannelInput & { keepsMemberships?: boolean },
  ): Promise<UpdatedChannel>;
  /**
   * Deletes the channel and ends its memberships and live subscriptions. For API keys.
   * @throws NOT_FOUND, FORBIDDEN, UNAUTHENTICATED
   */
  remove(caller: Caller, id: string): Promise<Channel>;
  /** Lists channels in the order of their ids. For API keys. @throws FORBIDDEN, UNAUTHENTICATED */
  list(caller: Caller, page: PageRequest, type?: ChannelType): Promise<Page<Channel>>;
  find(projectId: string, id: string): Promise<Channel | undefined>;
  /** Creates a PRIVATE channel of this id unless a channel of this id exists. `actor` is named in the audit log. */
  ensure(projectId: string, id: string, actor: string): Promise<void>;
  /** Applies a change that a node announced: the cached row is replaced or invalidated. */
  onChannelChanged(change: ChannelChange): void;
  /** Drops all cached rows. */
  invalidateAll(): void;
  readonly access: Access;
  /** Runs `work` exclusively among all changes to the channel on this node, so that its read and its announcement are atomic. */
  serialize<T>(projectId: string, id: string, work: () => Promise<T>): Promise<T>;
}

/** Memberships that one step ends; see `endSelfMadeMemberships`. */
const MEMBERS_PER_STEP = 200;
/** Memberships, and as many mutes and bans, that one step of the deletion of a channel deletes. */
const ROWS_PER_STEP = 500;

export function createChannels(deps: {
  store: Store;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  config: Config;
  announce: AnnounceChannel;
  audit: Audit;
  logHead: (projectId: string) => Promise<number>;
}): Channels {
  const { store, settingsOf, clock, newId, config, announce, audit, logHead } = deps;
  const rows = createChannelStore(store);
  const memberships = createMembershipStore(store);
  const access = createAccess({
    findChannel: rows.find,
    findMembership: memberships.find,
    invalidateChannel: rows.invalidate,
  });

  const mutex = createKeyedMutex();
  const serialize: Channels['serialize'] = (projectId, id, work) => mutex(`${projectId}\n${id}`, work);

  const blankChannel = (projectId: string, id: string): Omit<Channel, 'createdAfter'> => ({
    projectId,
    id,
    type: 'PRIVATE',
    kind: null,
    state: {},
    version: 1,
    createdAt: clock.now(),
    instance: newId('instance'),
    historyMessages: null,
    historySeconds: null,
  });

  /** The type and the kind that `input` sets. @throws BAD_USER_INPUT when both are given or the kind is unknown */
  async function parseKind(
    projectId: string,
    { type, kind }: ChannelInput,
  ): Promise<Partial<Pick<Channel, 'type' | 'kind'>>> {
    if (kind === undefined) return type === undefined ? {} : { type, kind: null };
    if (type !== undefined)
      throw badInput('input.kind', 'kind and type are mutually exclusive; a kind determines the type.');
    const { permissions } = await settingsOf(projectId);
    return { type: requireKind(permissions.kinds, kind).type, kind };
  }

  /** Ends the memberships that tokens began themselves. Runs in steps, so that a large channel does not block the event loop. */
  async function endSelfMadeMemberships(projectId: string, channelId: string): Promise<number> {
    for (let ended = 0; ;) {
      const { result: tokenIds } = await announce(
        memberships.removeSelfMade(projectId, channelId, MEMBERS_PER_STEP),
        (ids) =>
          ids.map((tokenId) => ({
            kind: 'MEMBERSHIP_ENDED',
            projectId,
            channelId,
            tokenId,
            reason: 'NOT_ALLOWED',
          })),
      );
      ended += tokenIds.length;
      if (tokenIds.length < MEMBERS_PER_STEP) return ended;
      await nextTurn();
    }
  }

  /** Runs in steps, like `endSelfMadeMemberships`. */
  async function removeRemains(projectId: string, id: string): Promise<void> {
    while (await rows.removeRemains(projectId, id, ROWS_PER_STEP)) await nextTurn();
  }

  /**
   * Inserts the channel unless its id is taken; then it resolves to undefined. What a deleted channel of the same id left
   * behind, if the process ended meanwhile, must not become part of the new one.
   */
  function insert(blank: Omit<Channel, 'createdAfter'>): Promise<Channel | undefined> {
    const { projectId, id } = blank;
    return serialize(projectId, id, async () => {
      if (await rows.find(projectId, id)) return undefined;
      await removeRemains(projectId, id);
      const channel = { ...blank, createdAfter: await logHead(projectId) };
      const { kind, type } = channel;
      if (kind === null) return (await rows.insert(channel)) ? channel : undefined;
      const { result: isInserted } = await announce(
        rows.insertOfKind(channel, (kinds) => requireKindOfType(kinds, kind, type)),
        () => undefined,
      );
      return isInserted ? channel : undefined;
    });
  }

  return {
    async create(caller, input) {
      requireApiKey(caller, 'CHANNELS', input.id);
      const { projectId } = caller;
      const id = input.id === undefined ? newId('channel') : parseName('channel', input.id, 'input.id');
      const channel = await insert({
        ...blankChannel(projectId, id),
        state: parseJson(input.state ?? {}, config.maxStateBytes, 'input.state'),
        ...(await parseKind(projectId, input)),
        ...parseHistoryPolicy(input, config),
      });
      if (!channel) throw new SignalboxError('CONFLICT', `The channel “${id}” already exists.`);
      audit({ action: 'channel.create', projectId, actor: actorOf(caller), subject: id });
      return channel;
    },
    async update(caller, id, input) {
      requireApiKey(caller, 'CHANNELS', id);
      const { projectId } = caller;
      const change = { ...(await parseKind(projectId, input)), ...parseHistoryPolicy(input, config) };
      return serialize(projectId, id, async () => {
        const before = await rows.find(projectId, id);
        if (!before) throw notFound('channel', id);
        const becomesPrivate = before.type !== 'PRIVATE' && change.type === 'PRIVATE';
        // End them before the type changes, so that no message of the PRIVATE channel reaches an excluded token.
        const endsMemberships = becomesPrivate && input.keepsMemberships !== true;
        let endedMemberships = endsMemberships ? await endSelfMadeMemberships(projectId, id) : 0;
        const { kind, type } = change;
        const { result: channel } = await announce(
          kind == null || type === undefined
            ? rows.update(projectId, id, change)
            : rows.updateKind(projectId, id, change, (kinds) => requireKindOfType(kinds, kind, type)),
          (updated) => updated && { kind: 'CHANNEL_UPDATED', projectId, channel: updated },
        );
        if (!channel) throw notFound('channel', id);
        // Tokens may have subscribed themselves on other nodes until the type changed.
        if (endsMemberships) endedMemberships += await endSelfMadeMemberships(projectId, id);
        audit({ action: 'channel.update', projectId, actor: actorOf(caller), subject: id });
        return { channel: asReadBy(caller, { channel, membership: undefined }), endedMemberships };
      });
    },
    async remove(caller, id) {
      requireApiKey(caller, 'CHANNELS', id);
      const { projectId } = caller;
      return serialize(projectId, id, async () => {
        const channel = await rows.find(projectId, id);
        if (!channel) throw notFound('channel', id);
        await announce(rows.remove(projectId, id), () => ({
          kind: 'CHANNEL_DELETED',
          projectId,
          channelId: id,
        }));
        // The channel is gone even if this fails: then `insert` does it.
        await removeRemains(projectId, id).catch(() => undefined);
        audit({ action: 'channel.delete', projectId, actor: actorOf(caller), subject: id });
        return asReadBy(caller, { channel, membership: undefined });
      });
    },
    ...createStateChanges({ rows, access, serialize, clock, config, announce, audit }),
    async list(caller, page, type) {
      requireApiKey(caller, 'READ');
      return rows.list(caller.projectId, page, type);
    },
    find: (projectId, id) => rows.find(projectId, id),
    async ensure(projectId, id, actor) {
      if (await rows.find(projectId, id)) return;
      if (await insert(blankChannel(projectId, id)))
        audit({ action: 'channel.create', projectId, actor, subject: id });
    },
    onChannelChanged: (change) => rows.apply(change),
    invalidateAll: () => rows.invalidateAll(),
    access,
    serialize,
  };
}

/** @throws BAD_USER_INPUT when the project has no kind of this name */
function requireKind(kinds: readonly ChannelKind[], kind: string): ChannelKind {
  const known = kinds.find(({ name }) => name === kind);
  if (known) return known;
  throw badInput('input.kind', 'is not a channel kind of this project; define it in the project settings.');
}

/**
 * Refuses a kind that was changed after the type was read from it.
 * @throws BAD_USER_INPUT when the project has no kind of this name, CONFLICT when the kind has another type
 */
function requireKindOfType(kinds: readonly ChannelKind[], kind: string, type: ChannelType): void {
  if (requireKind(kinds, kind).type !== type)
    throw new SignalboxError('CONFLICT', `The channel kind “${kind}” has just got another type. Try again.`);
}

function parseHistoryPolicy({ historyMessages, historySeconds }: ChannelInput, config: Config) {
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
  throw badInput(field, `is ${value}; it must be 0–${max}, or null for the limit of the service.`);
}
