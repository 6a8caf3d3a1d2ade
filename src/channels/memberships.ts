import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Store } from '../store/store.ts';
import { allowedActions } from '../tokens/authorization.ts';
import { type CallerLoader } from '../tokens/caller-loader.ts';
import { actorOf, requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { decideAccess, accessRefused } from './access.ts';
import { type AnnounceChannel, type Channel, type Membership, type MembershipOrigin } from './channel.ts';
import { type Channels } from './channels.ts';
import { createFirstMemberships, type FirstMemberships } from './first-memberships.ts';
import { forEachPair, type Outcome } from './membership-pairs.ts';
import { createMembershipRights, tooManyMemberships } from './membership-rights.ts';
import { createMembershipStore, type LockedToken, type MembershipWithChannel } from './membership-store.ts';
import { createRemovals } from './removals.ts';

export interface Memberships extends FirstMemberships {
  /**
   * Subscribes a token to a channel. Every message published after this returned is delivered to all live connections of
   * the token. Idempotent. For API keys; for the token itself where its role and grants allow SUBSCRIBE without a
   * membership.
   * @param since resolves to the sequence number after which the token may read the channel's past. For API keys. Default:
   * the head of the log. An existing membership moves to the earlier of the two
   * @throws NOT_FOUND, FORBIDDEN, UNAUTHENTICATED, TOKEN_REVOKED; RATE_LIMITED when the token itself changes memberships too often
   * @throws LIMIT_EXCEEDED when the token has `maxMembershipsPerToken` memberships
   */
  subscribe(
    caller: Caller,
    channelId: string,
    tokenId: string,
    since?: () => Promise<number>,
  ): Promise<Membership>;
  /**
   * Ends a membership. No message published after this returned is delivered through it. Resolves to undefined when
   * there was none. For API keys, and for the token itself. A membership that an API key ended is begun again only by an
   * API key, by the token where it may subscribe itself, or by a credential that is issued later.
   * @throws NOT_FOUND when the caller is an API key and the channel or the token does not exist
   * @throws FORBIDDEN, UNAUTHENTICATED, RATE_LIMITED as `subscribe`
   */
  unsubscribe(caller: Caller, channelId: string, tokenId: string): Promise<Membership | undefined>;
  /**
   * Subscribes every token to every channel. A pair that fails is reported in its outcome and undoes no other pair.
   * For API keys.
   * @throws LIMIT_EXCEEDED for more than MAX_PAIRS pairs, FORBIDDEN, UNAUTHENTICATED
   */
  subscribeAll(
    caller: Caller,
    channelIds: readonly string[],
    tokenIds: readonly string[],
  ): Promise<Outcome[]>;
  /** Ends the memberships of every token in every channel. See `subscribeAll`. */
  unsubscribeAll(
    caller: Caller,
    channelIds: readonly string[],
    tokenIds: readonly string[],
  ): Promise<Outcome[]>;
  /**
   * Subscribes a token to a channel that its credential names. Does nothing if the channel does not exist, if the
   * token may do nothing in it, or if an API key ended the membership after the credential was issued.
   * @throws LIMIT_EXCEEDED when the token has `maxMembershipsPerToken` memberships
   */
  subscribeIfAllowed(token: Token, channelId: string): Promise<void>;
  /**
   * Deletes the removals from before the newest credential of the token was issued: an older credential never begins a
   * membership.
   */
  forgetSuperseded(token: Token): Promise<void>;
  find(projectId: string, channelId: string, tokenId: string): Promise<Membership | undefined>;
  /** All memberships of a token with their channels. */
  allOf(projectId: string, tokenId: string): Promise<MembershipWithChannel[]>;
  listOfToken(projectId: string, tokenId: string, page: PageRequest): Promise<Page<Membership>>;
  listOfChannel(projectId: string, channelId: string, page: PageRequest): Promise<Page<Membership>>;
}

export function createMemberships(deps: {
  store: Store;
  tokens: Tokens;
  callerLoader: CallerLoader;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  /** See Channels.serialize. */
  serialize: Channels['serialize'];
  clock: Clock;
  config: Config;
  announce: AnnounceChannel;
  audit: Audit;
  logHead: (projectId: string) => Promise<number>;
  /** The limit on changes that a token makes to its own memberships, which everyone in the channels sees. */
  rateLimit: RateLimit;
  /** Receives the failure of the service that only outcomes of a bulk call report. */
  onFault: (error: unknown) => void;
}): Memberships {
  const {
    store,
    tokens,
    callerLoader,
    findChannel,
    serialize,
    clock,
    config,
    announce,
    audit,
    logHead,
    rateLimit,
    onFault,
  } = deps;
  const rows = createMembershipStore(store);
  const rights = createMembershipRights(callerLoader);
  const firstMemberships = createFirstMemberships({ rows, rights, findChannel, logHead, clock, config });
  const removals = createRemovals(store, clock, config.maxMembershipsPerToken);
  /** Serializes write and announcement per token, so that the last change announced is the last one written. */
  const mutex = createKeyedMutex();

  function takeFromRateLimit(caller: Caller): void {
    if (caller.kind === 'TOKEN') rateLimit.take(caller.token.id);
  }

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

  function requireCapacity(memberships: number): void {
    const limit = config.maxMembershipsPerToken;
    if (memberships >= limit) throw tooManyMemberships(limit);
  }

  async function subscribe(
    caller: Caller,
    channelId: string,
    tokenId: string,
    since?: () => Promise<number>,
  ): Promise<Membership> {
    const { projectId } = caller;
    requireKeyOrSelf(caller, tokenId, 'CHANNELS', channelId);
    const token = await requireToken(projectId, tokenId);
    const channel = await findChannel(projectId, channelId);
    if (caller.kind === 'TOKEN') {
      if (!channel || !decideAccess(caller, 'SUBSCRIBE', { channel, membership: undefined }).allowed)
        throw accessRefused(caller, 'SUBSCRIBE', channelId, channel && { channel, membership: undefined });
    } else if (!channel) throw notFound('channel', channelId);
    await rights.requireMaySubscribe(token, channel);
    takeFromRateLimit(caller);
    const madeBy = caller.kind === 'API_KEY' ? 'BACKEND' : 'TOKEN';
    if (since) requireApiKey(caller, 'CHANNELS', channelId);
    const mayBegin = (current: Channel) =>
      caller.kind === 'API_KEY' ||
      decideAccess(caller, 'SUBSCRIBE', { channel: current, membership: undefined }).allowed;
    const membership = await begin(actorOf(caller), madeBy, token, channelId, {
      since: await since?.(),
      mayBegin,
    });
    if (membership) return membership;
    // Another node has deleted the channel or made it PRIVATE meanwhile.
    if (caller.kind === 'API_KEY') throw notFound('channel', channelId);
    throw accessRefused(caller, 'SUBSCRIBE', channelId, { channel, membership: undefined });
  }

  /**
   * Resolves to undefined, and changes nothing, if the channel no longer exists or `mayBegin` is false for it.
   * @param mayBegin receives the channel and the token as they are until the membership is written, on all nodes
   */
  async function begin(
    actor: string,
    madeBy: MembershipOrigin,
    token: Token,
    channelId: string,
    {
      since,
      mayBegin,
    }: {
      since?: number | undefined;
      mayBegin: (channel: Channel, token: LockedToken) => boolean | Promise<boolean>;
    },
  ): Promise<Membership | undefined> {
    const { projectId, id: tokenId } = token;
    const membership: Membership = {
      projectId,
      channelId,
      tokenId,
      beganAfter: since ?? (await logHead(projectId)),
      madeBy,
      createdAt: clock.now(),
    };
    const { result } = await announce(
      rows.begin(membership, {
        mayBegin,
        requireCapacity,
        claim: (existing) => claimed(existing, madeBy, since),
      }),
      (begun) =>
        begun && {
          kind: 'MEMBERSHIP_BEGAN',
          projectId,
          membership: begun.membership,
          channel: begun.channel,
        },
    );
    if (!result) return undefined;
    audit({
      action: 'membership.subscribe',
      projectId,
      actor,
      subject: tokenId,
      ...(token.identity !== null && { identity: token.identity }),
      channel: channelId,
    });
    return result.membership;
  }

  async function unsubscribe(
    caller: Caller,
    channelId: string,
    tokenId: string,
  ): Promise<Membership | undefined> {
    const { projectId } = caller;
    requireKeyOrSelf(caller, tokenId, 'CHANNELS', channelId);
    takeFromRateLimit(caller);
    const token = await tokens.find(projectId, tokenId);
    if (caller.kind === 'API_KEY') {
      await requireChannel(projectId, channelId);
      if (!token) throw notFound('token', tokenId);
    }
    const ended = await rows.find(projectId, channelId, tokenId);
    const statements = [
      rows.removal(projectId, channelId, tokenId),
      ...(caller.kind === 'API_KEY' && token ? await removals.record(token, channelId) : []),
    ];
    await announce(rows.end(projectId, tokenId, statements), () => ({
      kind: 'MEMBERSHIP_ENDED',
      projectId,
      channelId,
      tokenId,
      reason: 'UNSUBSCRIBED',
    }));
    if (ended) {
      audit({
        action: 'membership.unsubscribe',
        projectId,
        actor: actorOf(caller),
        subject: tokenId,
        ...(token?.identity != null && { identity: token.identity }),
        channel: channelId,
      });
    }
    return ended;
  }

  async function subscribeIfAllowed(token: Token, channelId: string): Promise<void> {
    const channel = await findChannel(token.projectId, channelId);
    if (!channel) return;
    // Loaded before: a transaction must not wait for another connection.
    const member = await callerLoader.loadRecord(token);
    const mayAct = ({ id, type, kind }: Channel) =>
      allowedActions(member, { id, type, kind, isMember: true }).length > 0;
    if (!mayAct(channel)) return;
    await begin(token.id, 'BACKEND', token, channelId, {
      mayBegin: async (current, locked) =>
        mayAct(current) && !(await removals.covers(token, channelId, locked)),
    });
  }

  const serializedSubscribe: Memberships['subscribe'] = (caller, channelId, tokenId, since) =>
    mutex(tokenId, () =>
      serialize(caller.projectId, channelId, () => subscribe(caller, channelId, tokenId, since)),
    );
  const serializedUnsubscribe: Memberships['unsubscribe'] = (caller, channelId, tokenId) =>
    mutex(tokenId, () => unsubscribe(caller, channelId, tokenId));

  return {
    ...firstMemberships,
    subscribe: serializedSubscribe,
    unsubscribe: serializedUnsubscribe,
    subscribeAll: (caller, channelIds, tokenIds) =>
      forEachPair(caller, channelIds, tokenIds, serializedSubscribe, onFault),
    unsubscribeAll: (caller, channelIds, tokenIds) =>
      forEachPair(caller, channelIds, tokenIds, serializedUnsubscribe, onFault),
    subscribeIfAllowed: (token, channelId) =>
      mutex(token.id, () =>
        serialize(token.projectId, channelId, () => subscribeIfAllowed(token, channelId)),
      ),
    forgetSuperseded: (token) => mutex(token.id, () => removals.forgetSuperseded(token)),
    find: (projectId, channelId, tokenId) => rows.find(projectId, channelId, tokenId),
    allOf: (projectId, tokenId) => rows.allOf(projectId, tokenId),
    listOfToken: (projectId, tokenId, page) => rows.listOfToken(projectId, tokenId, page),
    listOfChannel: (projectId, channelId, page) => rows.listOfChannel(projectId, channelId, page),
  };
}

/**
 * A backend that subscribes a member again takes over the membership, which then survives a change to PRIVATE, and may show
 * the member more of the past. Returns `existing` itself if nothing changes.
 */
function claimed(existing: Membership, madeBy: MembershipOrigin, since = existing.beganAfter): Membership {
  const beganAfter = Math.min(existing.beganAfter, since);
  const isUnchanged = madeBy === existing.madeBy && beganAfter === existing.beganAfter;
  return isUnchanged || madeBy === 'TOKEN' ? existing : { ...existing, madeBy, beganAfter };
}
