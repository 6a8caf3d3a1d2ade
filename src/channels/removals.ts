import { type Clock } from '../clock.ts';
import { type Statement, type Store } from '../store/store.ts';
import { MAX_SKEW_SECONDS } from '../tokens/issuers/claims.ts';
import { type Token } from '../tokens/token.ts';
import { type LockedToken } from './membership-store.ts';
import { createRemovalStore } from './removal-store.ts';

/**
 * The memberships that an API key ended, and when. A credential that names the channel and was issued before the removal does
 * not begin the membership again.
 */
export interface Removals {
  /**
   * The statements that record the removal of a token from a channel. None for a token without a subject: only credentials of
   * other issuers name channels, and their tokens have one.
   */
  record(token: Token, channelId: string): Promise<Statement[]>;
  /**
   * Whether the token was removed from the channel after its newest credential was issued, or in the same millisecond. Also
   * true if the rights of a newer credential are stored, because then the removal may be deleted.
   * @param locked the same token: until its transaction ends, no other node can make the answer untrue
   */
  covers(token: Token, channelId: string, locked: LockedToken): Promise<boolean>;
  /** Deletes the removals from before the newest credential of the token was issued. */
  forgetSuperseded(token: Token): Promise<void>;
}

/** The clock of an issuer may be ahead, so a credential can state a time of issue that is yet to come. */
const SKEW_MS = MAX_SKEW_SECONDS * 1000;

/** Keeps at most `maxPerToken` removals of a token; see `createRemovalStore`. */
export function createRemovals(store: Store, clock: Clock, maxPerToken: number): Removals {
  const rows = createRemovalStore(store, maxPerToken);
  const issuedAtOf = ({ credentialRights }: Token) => credentialRights?.issuedAt ?? 0;

  return {
    async record(token, channelId) {
      if (token.subject === null) return [];
      // A credential that states a time to come is older than the removal all the same.
      const removedAt = Math.max(clock.now(), issuedAtOf(token));
      return rows.recording(token.projectId, channelId, token.id, removedAt);
    },
    async covers(token, channelId, locked) {
      const issuedAt = issuedAtOf(token);
      if (issuedAt < locked.issuedAt) return true;
      const removedAt = await rows.removedAt(locked.rows, token.projectId, channelId, token.id);
      if (removedAt === undefined) return false;
      const now = clock.now();
      return issuedAt <= removedAt || (issuedAt > now && removedAt > now - SKEW_MS);
    },
    forgetSuperseded(token) {
      // A credential of an issuer whose clock is ahead must not delete a removal of the last seconds.
      const before = Math.min(issuedAtOf(token), clock.now() - SKEW_MS);
      return rows.removeBefore(token.projectId, token.id, before);
    },
  };
}
