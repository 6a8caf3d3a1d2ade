import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { notFound, SignalboxError, type ErrorCode } from '../errors.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { allowedActions, decide } from '../tokens/authorisation.ts';
import { type CallerLoader } from '../tokens/caller-loader.ts';
import { actorOf, requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { mayDo, refusal } from './access.ts';
import { type AnnounceChannel, type Channel, type Membership } from './channel.ts';
import { type Channels } from './channels.ts';
import { createMembershipStore, type Entry } from './membership-store.ts';

/** What became of one pair of channel and token in a call that named many. */
export interface Outcome {
  channelId: string;
  tokenId: string;
  /** The membership that began, holds or ended; null when there was none to end, or on an error. */
  membership: Membership | null;
  error: { code: ErrorCode; message: string } | null;
}

/** Pairs of channel and token that one call may name. */
export const MAX_PAIRS = 1000;

export interface Memberships {
  /**
   * Subscribes the token: every live connection of it hears the channel before this returns. Idempotent.
   * By an API key, or by a token for itself in a channel that its role and grants let it enter.
   * @throws NOT_FOUND, FORBIDDEN, LIMIT_EXCEEDED, TOKEN_REVOKED
   */
  subscribe(caller: Caller, channelId: string, tokenId: string): Promise<Membership>;
  /** No connection of the token hears what is said after this returns. @throws NOT_FOUND, FORBIDDEN */
  unsubscribe(caller: Caller, channelId: string, tokenId: string): Promise<Membership | undefined>;
  /** Every pair by itself, each outcome named. @throws LIMIT_EXCEEDED beyond 1,000 pairs. */
  subscribeAll(
    caller: Caller,
    channelIds: readonly string[],
    tokenIds: readonly string[],
  ): Promise<Outcome[]>;
  unsubscribeAll(
    caller: Caller,
    channelIds: readonly string[],
    tokenIds: readonly string[],
  ): Promise<Outcome[]>;
  /** The rows that make `token`, not yet written, a member of the channels. @throws NOT_FOUND, FORBIDDEN */
  firstOf(token: Token, channelIds: readonly string[]): Promise<Statement[]>;
  /** The same of those channels that exist and let it in, as many as a token may have. */
  firstPossibleOf(token: Token, channelIds: readonly string[]): Promise<Statement[]>;
  /** Subscribes a token to a channel that its credential names, if there is one and it lets it in. */
  enrol(token: Token, channelId: string): Promise<void>;
  find(projectId: string, channelId: string, tokenId: string): Promise<Membership | undefined>;
  /** Everything a token is subscribed to. */
  allOf(projectId: string, tokenId: string): Promise<Entry[]>;
  listOfToken(projectId: string, tokenId: string, page: PageRequest): Promise<Page<Membership>>;
  listOfChannel(projectId: string, channelId: string, page: PageRequest): Promise<Page<Membership>>;
}

export function createMemberships(parts: {
  store: Store;
  tokens: Tokens;
  callerLoader: CallerLoader;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  /** See Channels. */
  serialize: Channels['serialize'];
  clock: Clock;
  config: Config;
  announce: AnnounceChannel;
  audit: Audit;
  logHead: (projectId: string) => Promise<number>;
}): Memberships {
  const { store, tokens, callerLoader, findChannel, serialize, clock, config, announce, audit, logHead } =
    parts;
  const rows = createMembershipStore(store);
  /** Writing and telling are one step for a token: what live connections hear last is what the rows say. */
  const mutex = createKeyedMutex();

  async function requireChannel(projectId: string, id: string): Promise<Channel> {
    const channel = await findChannel(projectId, id);
    if (!channel) throw notFound('channel', id);
    return channel;
  }

  async function requireToken(projectId: string, id: string): Promise<Token> {
    const token = await tokens.find(projectId, id);
    if (!token) throw notFound('token', id);
    if (token.revokedAt !== null) throw new SignalboxError('TOKEN_REVOKED', `The token “${id}” was revoked.`);
    return token;
  }

  async function requireRoom(token: Token, wanted: number): Promise<void> {
    const limit = config.maxMembershipsPerToken;
    if ((await rows.countOf(token.projectId, token.id)) + wanted <= limit) return;
    throw new SignalboxError('LIMIT_EXCEEDED', `A token may be subscribed to at most ${limit} channels.`, {
      limit,
    });
  }

  async function subscribe(caller: Caller, channelId: string, tokenId: string): Promise<Membership> {
    const { projectId } = caller;
    requireKeyOrSelf(caller, tokenId);
    const token = await requireToken(projectId, tokenId);
    const channel = await findChannel(projectId, channelId);
    if (caller.kind === 'TOKEN') {
      if (!channel || !mayDo(caller, 'SUBSCRIBE', { channel, membership: undefined }).allowed)
        throw refusal(caller, 'SUBSCRIBE', channelId);
    } else if (!channel) throw notFound('channel', channelId);
    await requireUse(token, channel);
    return begin(actorOf(caller), token, channel);
  }

  async function begin(actor: string, token: Token, channel: Channel): Promise<Membership> {
    const { projectId, id: tokenId } = token;
    const { id: channelId } = channel;
    const existing = await rows.find(projectId, channelId, tokenId);
    if (!existing) await requireRoom(token, 1);
    const beganAfter = await logHead(projectId);
    const membership =
      existing ?? (await rows.insert({ projectId, channelId, tokenId, beganAfter, createdAt: clock.now() }));
    await announce({ kind: 'MEMBERSHIP_BEGAN', projectId, membership, channel });
    audit({ action: 'membership.subscribe', projectId, actor, subject: tokenId, channel: channelId });
    return membership;
  }

  async function unsubscribe(
    caller: Caller,
    channelId: string,
    tokenId: string,
  ): Promise<Membership | undefined> {
    const { projectId } = caller;
    requireKeyOrSelf(caller, tokenId);
    if (caller.kind === 'API_KEY') {
      await requireChannel(projectId, channelId);
      if (!(await tokens.find(projectId, tokenId))) throw notFound('token', tokenId);
    }
    const ended = await rows.remove(projectId, channelId, tokenId);
    await announce({ kind: 'MEMBERSHIP_ENDED', projectId, channelId, tokenId });
    if (ended) {
      audit({
        action: 'membership.unsubscribe',
        projectId,
        actor: actorOf(caller),
        subject: tokenId,
        channel: channelId,
      });
    }
    return ended;
  }

  async function forEachPair(
    caller: Caller,
    channelIds: readonly string[],
    tokenIds: readonly string[],
    act: (caller: Caller, channelId: string, tokenId: string) => Promise<Membership | undefined>,
  ): Promise<Outcome[]> {
    requireApiKey(caller);
    const pairs = channelIds.flatMap((channelId) => tokenIds.map((tokenId) => ({ channelId, tokenId })));
    if (pairs.length > MAX_PAIRS) {
      const message = `One call may name at most ${MAX_PAIRS} pairs of channel and token; this one has ${pairs.length}.`;
      throw new SignalboxError('LIMIT_EXCEEDED', message, { limit: MAX_PAIRS });
    }
    const outcomes: Outcome[] = [];
    for (const { channelId, tokenId } of pairs) {
      try {
        outcomes.push({
          channelId,
          tokenId,
          membership: (await act(caller, channelId, tokenId)) ?? null,
          error: null,
        });
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        const { code, message } = error;
        outcomes.push({ channelId, tokenId, membership: null, error: { code, message } });
      }
    }
    return outcomes;
  }

  async function firstRows(
    { projectId, id: tokenId }: Token,
    channelIds: readonly string[],
  ): Promise<Statement[]> {
    if (channelIds.length === 0) return [];
    const beganAfter = await logHead(projectId);
    return channelIds.map((channelId) =>
      rows.insertion({ projectId, channelId, tokenId, beganAfter, createdAt: clock.now() }),
    );
  }

  /** Whether, as a member, the token could do anything in the channel. */
  async function isOfUse(token: Token, { id, type, kind }: Channel): Promise<boolean> {
    return (
      allowedActions(await callerLoader.loadRecord(token), { id, type, kind, isMember: true }).length > 0
    );
  }

  /** A membership in which nothing would be heard is refused rather than made in silence. */
  async function requireUse(token: Token, { id, type, kind }: Channel): Promise<void> {
    const place = { id, type, kind, isMember: true };
    const { allowed, because } = decide(await callerLoader.loadRecord(token), 'SUBSCRIBE', place);
    if (!allowed)
      throw new SignalboxError('FORBIDDEN', `The token “${token.id}” cannot hear “${id}”: ${because}.`);
  }

  const subscribeInTurn: Memberships['subscribe'] = (caller, channelId, tokenId) =>
    mutex(tokenId, () => serialize(caller.projectId, channelId, () => subscribe(caller, channelId, tokenId)));
  const unsubscribeInTurn: Memberships['unsubscribe'] = (caller, channelId, tokenId) =>
    mutex(tokenId, () => unsubscribe(caller, channelId, tokenId));

  return {
    subscribe: subscribeInTurn,
    unsubscribe: unsubscribeInTurn,
    subscribeAll: (caller, channelIds, tokenIds) =>
      forEachPair(caller, channelIds, tokenIds, subscribeInTurn),
    unsubscribeAll: (caller, channelIds, tokenIds) =>
      forEachPair(caller, channelIds, tokenIds, unsubscribeInTurn),
    async firstOf(token, channelIds) {
      const wanted = [...new Set(channelIds)];
      const limit = config.maxMembershipsPerToken;
      if (wanted.length > limit) {
        throw new SignalboxError(
          'LIMIT_EXCEEDED',
          `A token may be subscribed to at most ${limit} channels.`,
          { limit },
        );
      }
      for (const channelId of wanted)
        await requireUse(token, await requireChannel(token.projectId, channelId));
      return firstRows(token, wanted);
    },
    async firstPossibleOf(token, channelIds) {
      const possible: string[] = [];
      for (const channelId of new Set(channelIds)) {
        const channel = await findChannel(token.projectId, channelId);
        if (channel && (await isOfUse(token, channel))) possible.push(channelId);
      }
      return firstRows(token, possible.slice(0, config.maxMembershipsPerToken));
    },
    enrol: (token, channelId) =>
      mutex(token.id, () =>
        serialize(token.projectId, channelId, async () => {
          const channel = await findChannel(token.projectId, channelId);
          if (!channel || !(await isOfUse(token, channel))) return;
          await begin(token.id, token, channel);
        }),
      ),
    find: (projectId, channelId, tokenId) => rows.find(projectId, channelId, tokenId),
    allOf: (projectId, tokenId) => rows.allOf(projectId, tokenId),
    listOfToken: (projectId, tokenId, page) => rows.listOfToken(projectId, tokenId, page),
    listOfChannel: (projectId, channelId, page) => rows.listOfChannel(projectId, channelId, page),
  };
}
