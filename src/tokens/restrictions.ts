import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { badInput, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type Announce } from '../store/write.ts';
import { actorOf, type Caller } from './caller.ts';
import { createRestrictionStore, type RestrictionFilter } from './restriction-store.ts';
import { subjectsOf, type RestrictedSubject, type Restriction, type RestrictionKind } from './restriction.ts';
import { type Token } from './token.ts';

/** Writes a restriction, or its end, and announces it to every node. */
export type AnnounceRestriction = Announce<{
  kind: 'RESTRICTED' | 'RESTRICTION_LIFTED';
  projectId: string;
  restriction: Restriction;
}>;

/** Identifies a restriction: a subject has at most one of each kind per channel, and one for all channels. */
export interface RestrictionKey {
  kind: RestrictionKind;
  subject: RestrictedSubject;
  /** Null: all channels. */
  channelId: string | null;
}

/** The maximum number of restrictions in force for one token or identity. */
export const MAX_RESTRICTIONS = 100;
/** Lapsed restrictions that one `put` deletes. More than it adds, so that they do not accumulate. */
const LAPSED_PER_PUT = 100;

/** Stores and announces mutes and bans. Does not check permissions: see Moderation. */
export interface Restrictions {
  /**
   * Creates a restriction, or replaces the one with the same key. Live connections have applied it before
   * this resolves.
   * @param terms `until`: milliseconds since 1970; absent: until it is lifted
   * @throws BAD_USER_INPUT when `until` is in the past, or the reason is malformed
   * @throws LIMIT_EXCEEDED when the subject has 100 other restrictions
   */
  put(
    caller: Caller,
    key: RestrictionKey,
    terms: { until?: number | undefined; reason?: string | undefined },
  ): Promise<Restriction>;
  /** Removes a restriction, and returns it; undefined: there was none in force. */
  lift(caller: Caller, key: RestrictionKey): Promise<Restriction | undefined>;
  /** The mutes and bans in force that apply to a token: its own and those of its identity. */
  inForce(token: Token): Promise<Restriction[]>;
  /** The restrictions in force, sorted by id. */
  list(projectId: string, page: PageRequest, filter: RestrictionFilter): Promise<Page<Restriction>>;
}

export function createRestrictions(deps: {
  store: Store;
  clock: Clock;
  newId: NewId;
  announce: AnnounceRestriction;
  audit: Audit;
}): Restrictions {
  const { store, clock, newId, announce, audit } = deps;
  const restrictionStore = createRestrictionStore(store);
  /** Per subject: the limit is checked and the row is written without another change in between. */
  const serialize = createKeyedMutex();

  function auditChange(
    caller: Caller,
    verb: 'put' | 'lift',
    { kind, subject, channelId }: RestrictionKey,
  ): void {
    audit({
      action: `${kind === 'MUTE' ? 'mute' : 'ban'}.${verb}`,
      projectId: caller.projectId,
      actor: actorOf(caller),
      subject,
      ...(channelId !== null && { channel: channelId }),
    });
  }

  return {
    async put(caller, key, { until, reason }) {
      const { projectId } = caller;
      const now = clock.now();
      if (until !== undefined && until <= now) throw badInput('until', 'must be in the future.');
      await restrictionStore.deleteLapsed(now, LAPSED_PER_PUT);
      const restriction: Restriction = {
        id: newId('restriction'),
        projectId,
        ...key,
        reason: reason === undefined ? null : parseText(reason, 'reason'),
        createdAt: now,
        until: until ?? null,
      };
      const { result: isPut } = await serialize(`${projectId} ${key.subject}`, () =>
        announce(restrictionStore.put(restriction, MAX_RESTRICTIONS), (wasPut) =>
          wasPut ? { kind: 'RESTRICTED', projectId, restriction } : undefined,
        ),
      );
      if (!isPut)
        throw new SignalboxError(
          'LIMIT_EXCEEDED',
          `A token or identity can have at most ${MAX_RESTRICTIONS} mutes and bans. Lift some first.`,
          { limit: MAX_RESTRICTIONS },
        );
      auditChange(caller, 'put', key);
      return restriction;
    },
    async lift(caller, key) {
      const { projectId } = caller;
      // The row of a lapsed restriction stays until the next `put` deletes it.
      const now = clock.now();
      const inForce = (removed: Restriction | undefined) =>
        removed && (removed.until === null || removed.until > now) ? removed : undefined;
      const { result } = await announce(
        restrictionStore.remove(projectId, key.kind, key.subject, key.channelId),
        (removed) => {
          const restriction = inForce(removed);
          return restriction && { kind: 'RESTRICTION_LIFTED', projectId, restriction };
        },
      );
      const lifted = inForce(result);
      if (lifted) auditChange(caller, 'lift', key);
      return lifted;
    },
    inForce: (token) => restrictionStore.inForce(token.projectId, subjectsOf(token), clock.now()),
    list: (projectId, page, filter) => restrictionStore.list(projectId, page, filter, clock.now()),
  };
}
