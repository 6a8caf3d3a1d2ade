import { type Audit } from '../audit.ts';
import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { type Signal } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { badInput, forbidden, notFound } from '../errors.ts';
import { parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type ApiKeyScope } from '../projects/api-key.ts';
import { type RateLimit } from '../rate-limit.ts';
import { Slices } from '../slices.ts';
import { actorOf, requireApiKey, type Caller } from '../tokens/caller.ts';
import {
  subjectsOf,
  type RestrictedSubject,
  type Restriction,
  type RestrictionKind,
} from '../tokens/restriction.ts';
import { type Restrictions } from '../tokens/restrictions.ts';
import { type Tokens } from '../tokens/tokens.ts';

/** The subject of an action. Exactly one field must be set. */
export interface Target {
  token?: string | undefined;
  identity?: string | undefined;
}

export interface DisconnectTarget extends Target {
  connection?: string | undefined;
}

export interface RestrictOptions {
  /** When the restriction ends, in milliseconds since 1970. Absent: it holds until it is lifted. */
  until?: number | undefined;
  /** Shown to the restricted user; at most 1,000 characters. */
  reason?: string | undefined;
}

/**
 * Mutes, bans and disconnections. API keys may moderate every channel, and all channels at once. A token must name a
 * channel, and needs the MODERATE action there.
 *
 * All methods throw FORBIDDEN or UNAUTHENTICATED when the caller may not moderate, NOT_FOUND when the token or the channel
 * does not exist, and BAD_USER_INPUT. All but `list` throw RATE_LIMITED when a token moderates too often.
 */
export interface Moderation {
  /**
   * Closes live connections after a `Disconnecting` event; the clients may reconnect. With a channel, only connections in
   * that channel are closed. Returns the number of closed connections.
   * @throws NOT_FOUND when `target.connection` is not a live connection, or is not in the channel
   */
  disconnect(
    caller: Caller,
    target: DisconnectTarget,
    options: { channel?: string | undefined; reason?: string | undefined },
  ): Promise<number>;
  /**
   * Mutes (no PUBLISH) or bans (no actions at all) in one channel; without a channel, in all channels. Applies to live
   * connections before it resolves.
   * @throws FORBIDDEN when a token restricts itself
   */
  restrict(
    caller: Caller,
    kind: RestrictionKind,
    target: Target,
    channel: string | undefined,
    options: RestrictOptions,
  ): Promise<Restriction>;
  /**
   * Lifts a mute or ban. Returns undefined if there is none.
   * @throws FORBIDDEN when a token lifts a restriction of its own
   */
  lift(
    caller: Caller,
    kind: RestrictionKind,
    target: Target,
    channel: string | undefined,
  ): Promise<Restriction | undefined>;
  /** Lists the restrictions in force, oldest first. */
  list(
    caller: Caller,
    page: PageRequest,
    filter: Partial<Target> & { channel?: string | undefined },
  ): Promise<Page<Restriction>>;
}

export function createModeration(deps: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  restrictions: Restrictions;
  audit: Audit;
  /** The limit on actions of one token. */
  rateLimit: RateLimit;
}): Moderation {
  const { broker, access, tokens, restrictions, audit, rateLimit } = deps;
  const { leases } = broker;

  /** Requires that the caller may moderate the channel; without a channel, all channels. */
  async function requireAuthority(
    caller: Caller,
    channel: string | undefined,
    scope: ApiKeyScope = 'MODERATE',
  ): Promise<void> {
    if (channel !== undefined) await access.require(caller, 'MODERATE', channel, scope);
    else if (caller.kind === 'TOKEN')
      throw forbidden('A token must name the channel that it moderates; only an API key may omit `channel`.');
    else requireApiKey(caller, scope);
  }

  function takeFromRateLimit(caller: Caller): void {
    if (caller.kind === 'TOKEN') rateLimit.take(caller.token.id);
  }

  async function parseTarget(caller: Caller, { token, identity }: Target): Promise<RestrictedSubject> {
    if ((token === undefined) === (identity === undefined))
      throw badInput('token', 'specify exactly one of token and identity.');
    // An identity need not exist: it can be banned before its first token is created.
    if (identity !== undefined) return `identity:${parseName('anyIdentity', identity, 'identity')}`;
    if (!(await tokens.find(caller.projectId, token ?? ''))) throw notFound('token', token ?? '');
    return `token:${token}`;
  }

  /** Prevents a muted moderator from unmuting itself, also through another token of the same identity. */
  async function requireOtherSubject(caller: Caller, subject: RestrictedSubject): Promise<void> {
    if (caller.kind !== 'TOKEN') return;
    const own = subjectsOf(caller.token);
    const [kind, id = ''] = subject.split(/:(.*)/s);
    const target = kind === 'token' ? await tokens.find(caller.projectId, id) : undefined;
    if ([subject, ...(target ? subjectsOf(target) : [])].some((candidate) => own.includes(candidate)))
      throw forbidden('A moderator cannot mute, unmute, ban or unban itself.');
  }

  async function membersOf(
    caller: Caller,
    { connection, token, identity }: DisconnectTarget,
  ): Promise<Member[]> {
    const { projectId } = caller;
    if ([connection, token, identity].filter((id) => id !== undefined).length !== 1)
      throw badInput('connection', 'specify exactly one of connection, token and identity.');
    if (connection !== undefined) {
      const member = await leases.find(projectId, connection);
      return member ? [member] : [];
    }
    await parseTarget(caller, { token, identity });
    return token === undefined
      ? leases.ofIdentity(projectId, identity ?? '')
      : leases.ofToken(projectId, token);
  }

  return {
    async disconnect(caller, target, { channel, reason }) {
      await requireAuthority(caller, channel);
      takeFromRateLimit(caller);
      const note = reason === undefined ? null : parseText(reason, 'reason');
      const { projectId } = caller;
      let closed = 0;
      const slices = new Slices();
      for (const { connectionId, tokenId, identity } of await membersOf(caller, target)) {
        if (channel !== undefined && !(await leases.isIn(projectId, connectionId, channel))) continue;
        const signal: Signal = { kind: 'CONNECTION_DISCONNECTED', projectId, connectionId, note };
        closed += await broker.control(signal);
        audit({
          action: 'connection.disconnect',
          projectId,
          actor: actorOf(caller),
          subject: connectionId,
          ...(tokenId !== null && { token: tokenId }),
          ...(identity !== null && { identity }),
          ...(channel !== undefined && { channel }),
        });
        if (slices.shouldYield()) await slices.nextTurn();
      }
      if (target.connection !== undefined && closed === 0)
        throw notFound('live connection', target.connection);
      return closed;
    },
    async restrict(caller, kind, target, channel, options) {
      await requireAuthority(caller, channel);
      takeFromRateLimit(caller);
      const subject = await parseTarget(caller, target);
      await requireOtherSubject(caller, subject);
      return restrictions.put(caller, { kind, subject, channelId: channel ?? null }, options);
    },
    async lift(caller, kind, target, channel) {
      await requireAuthority(caller, channel);
      takeFromRateLimit(caller);
      const subject = await parseTarget(caller, target);
      await requireOtherSubject(caller, subject);
      return restrictions.lift(caller, { kind, subject, channelId: channel ?? null });
    },
    async list(caller, page, { channel, ...target }) {
      await requireAuthority(caller, channel, 'READ');
      const hasTarget = target.token !== undefined || target.identity !== undefined;
      return restrictions.list(caller.projectId, page, {
        ...(hasTarget && { subject: await parseTarget(caller, target) }),
        ...(channel !== undefined && { channelId: channel }),
      });
    },
  };
}
