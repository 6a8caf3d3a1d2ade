import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { badInput, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { actorOf, type Caller } from './caller.ts';
import { createRestrictionStore, type RestrictionFilter } from './restriction-store.ts';
import { type RestrictedSubject, type Restriction, type RestrictionKind } from './restriction.ts';

/** Tells every node, so that live connections feel it: `restriction` holds now, or does not hold any more. */
export type AnnounceRestriction = (change: {
  kind: 'RESTRICTED' | 'RESTRICTION_LIFTED';
  projectId: string;
  restriction: Restriction;
}) => Promise<unknown>;

/** Which restriction: there is one of a kind for a subject in a channel, and one in all channels. */
export interface RestrictionKey {
  kind: RestrictionKind;
  subject: RestrictedSubject;
  channelId: string | null;
}

/** Restrictions of one token or identity that hold at the same time. */
export const MAX_RESTRICTIONS = 100;

/** Mutes and bans as rows. Who may make them is asked elsewhere: see Moderation. */
export interface Restrictions {
  /**
   * Live connections feel it before this returns. Another one of the same key takes its place.
   * @throws BAD_USER_INPUT when `until` lies in the past, LIMIT_EXCEEDED
   */
  put(
    caller: Caller,
    key: RestrictionKey,
    terms: { until?: number | undefined; reason?: string | undefined },
  ): Promise<Restriction>;
  /** Undefined when there was none. */
  lift(caller: Caller, key: RestrictionKey): Promise<Restriction | undefined>;
  list(projectId: string, page: PageRequest, filter: RestrictionFilter): Promise<Page<Restriction>>;
}

export function createRestrictions(parts: {
  store: Store;
  clock: Clock;
  newId: NewId;
  announce: AnnounceRestriction;
  audit: Audit;
}): Restrictions {
  const { store, clock, newId, announce, audit } = parts;
  const rows = createRestrictionStore(store);

  function note(caller: Caller, verb: 'put' | 'lift', { kind, subject, channelId }: RestrictionKey): void {
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
      if (until !== undefined && until <= now) throw badInput('until', 'must lie in the future.');
      await rows.forget(now);
      const held = await rows.inForce(projectId, [key.subject], now);
      const others = held.filter(({ kind, channelId }) => kind !== key.kind || channelId !== key.channelId);
      if (others.length >= MAX_RESTRICTIONS)
        throw new SignalboxError(
          'LIMIT_EXCEEDED',
          `At most ${MAX_RESTRICTIONS} mutes and bans may hold for one token or identity.`,
          { limit: MAX_RESTRICTIONS },
        );
      const restriction: Restriction = {
        id: newId('restriction'),
        projectId,
        ...key,
        reason: reason === undefined ? null : parseText(reason, 'reason'),
        createdAt: now,
        until: until ?? null,
      };
      await rows.put(restriction);
      await announce({ kind: 'RESTRICTED', projectId, restriction });
      note(caller, 'put', key);
      return restriction;
    },
    async lift(caller, key) {
      const { projectId } = caller;
      const restriction = await rows.remove(projectId, key.kind, key.subject, key.channelId);
      // One that has lapsed may still be there as a row.
      if (!restriction || (restriction.until !== null && restriction.until <= clock.now())) return undefined;
      await announce({ kind: 'RESTRICTION_LIFTED', projectId, restriction });
      note(caller, 'lift', key);
      return restriction;
    },
    list: (projectId, page, filter) => rows.list(projectId, page, filter, clock.now()),
  };
}
