import { type Audit } from '../audit.ts';
import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { type Signal } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { actorOf, requireApiKey, type Caller } from '../tokens/caller.ts';
import {
  subjectsOf,
  type RestrictedSubject,
  type Restriction,
  type RestrictionKind,
} from '../tokens/restriction.ts';
import { type Restrictions } from '../tokens/restrictions.ts';
import { type Tokens } from '../tokens/tokens.ts';

/** Exactly one of them. */
export interface Target {
  token?: string | undefined;
  identity?: string | undefined;
}

export interface Terms {
  /** Milliseconds since 1970; absent: until it is lifted. */
  until?: number | undefined;
  /** What the target is told of why. */
  reason?: string | undefined;
}

/**
 * What keeps order in channels. By API keys everywhere; by tokens in channels where they may MODERATE, which they name.
 * Everything @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND for a token that does not exist, BAD_USER_INPUT.
 */
export interface Moderation {
  /**
   * Ends live connections, which are told first; nothing keeps them from coming back. A moderator names a channel, and
   * reaches those who are there. Resolves to how many.
   * @throws NOT_FOUND when a connection is named that is not there
   */
  disconnect(
    caller: Caller,
    target: Target & { connection?: string | undefined },
    terms: { channel?: string | undefined; reason?: string | undefined },
  ): Promise<number>;
  /** Takes PUBLISH away, or everything; in a channel, or by an API key in all. Live connections feel it before this returns. */
  restrict(
    caller: Caller,
    kind: RestrictionKind,
    target: Target,
    channel: string | undefined,
    terms: Terms,
  ): Promise<Restriction>;
  /** Undefined when there was nothing to lift. */
  lift(
    caller: Caller,
    kind: RestrictionKind,
    target: Target,
    channel: string | undefined,
  ): Promise<Restriction | undefined>;
  /** Those that hold now, oldest first. A moderator names a channel. */
  list(
    caller: Caller,
    page: PageRequest,
    filter: Partial<Target> & { channel?: string | undefined },
  ): Promise<Page<Restriction>>;
}

export function createModeration(parts: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  restrictions: Restrictions;
  audit: Audit;
}): Moderation {
  const { broker, access, tokens, restrictions, audit } = parts;
  const { leases } = broker;

  /** Whether the caller keeps order here; without a channel: everywhere. */
  async function requireAuthority(caller: Caller, channel: string | undefined): Promise<void> {
    if (channel !== undefined) await access.require(caller, 'MODERATE', channel);
    else if (caller.kind === 'TOKEN')
      throw new SignalboxError('FORBIDDEN', 'A moderator names the channel in which it keeps order.');
    else requireApiKey(caller);
  }

  async function parseTarget(caller: Caller, { token, identity }: Target): Promise<RestrictedSubject> {
    if ((token === undefined) === (identity === undefined))
      throw badInput('token', 'name exactly one of token and identity.');
    // An identity may be looked for before anybody has it: a ban can be there first.
    if (identity !== undefined) return `identity:${parseName('anyIdentity', identity, 'identity')}`;
    if (!(await tokens.find(caller.projectId, token ?? ''))) throw notFound('token', token ?? '');
    return `token:${token}`;
  }

  /** A moderator who was muted does not unmute itself, nor by another token of the same user. */
  async function requireNotItself(caller: Caller, subject: RestrictedSubject): Promise<void> {
    if (caller.kind !== 'TOKEN') return;
    const own = subjectsOf(caller.token);
    const [kind, id = ''] = subject.split(/:(.*)/s);
    const target = kind === 'token' ? await tokens.find(caller.projectId, id) : undefined;
    if ([subject, ...(target ? subjectsOf(target) : [])].some((one) => own.includes(one)))
      throw new SignalboxError('FORBIDDEN', 'A moderator does not mute, ban or free itself.');
  }

  async function membersOf(
    caller: Caller,
    { connection, token, identity }: Target & { connection?: string | undefined },
  ): Promise<Member[]> {
    const { projectId } = caller;
    if ([connection, token, identity].filter((given) => given !== undefined).length !== 1)
      throw badInput('connection', 'name exactly one of connection, token and identity.');
    if (connection !== undefined) {
      const member = await leases.find(projectId, connection);
      return member ? [member] : [];
    }
    await parseTarget(caller, { token, identity });
    if (token !== undefined) return leases.ofToken(projectId, token);
    const members: Member[] = [];
    for await (const id of tokens.idsOf(projectId, identity ?? ''))
      members.push(...(await leases.ofToken(projectId, id)));
    return members;
  }

  return {
    async disconnect(caller, target, { channel, reason }) {
      await requireAuthority(caller, channel);
      const note = reason === undefined ? null : parseText(reason, 'reason');
      const { projectId } = caller;
      let ended = 0;
      for (const { connectionId } of await membersOf(caller, target)) {
        if (channel !== undefined && !(await leases.isIn(projectId, connectionId, channel))) continue;
        const signal: Signal = { kind: 'CONNECTION_DISCONNECTED', projectId, connectionId, note };
        ended += await broker.control(signal);
        audit({
          action: 'connection.disconnect',
          projectId,
          actor: actorOf(caller),
          subject: connectionId,
          ...(channel !== undefined && { channel }),
        });
      }
      if (target.connection !== undefined && ended === 0)
        throw notFound('live connection', target.connection);
      return ended;
    },
    async restrict(caller, kind, target, channel, terms) {
      await requireAuthority(caller, channel);
      const subject = await parseTarget(caller, target);
      await requireNotItself(caller, subject);
      return restrictions.put(caller, { kind, subject, channelId: channel ?? null }, terms);
    },
    async lift(caller, kind, target, channel) {
      await requireAuthority(caller, channel);
      const subject = await parseTarget(caller, target);
      await requireNotItself(caller, subject);
      return restrictions.lift(caller, { kind, subject, channelId: channel ?? null });
    },
    async list(caller, page, { channel, ...target }) {
      await requireAuthority(caller, channel);
      const isNarrowed = target.token !== undefined || target.identity !== undefined;
      return restrictions.list(caller.projectId, page, {
        ...(isNarrowed && { subject: await parseTarget(caller, target) }),
        ...(channel !== undefined && { channelId: channel }),
      });
    },
  };
}
