import { SignalboxError } from '../errors.ts';
import { allowedActions, decide } from '../tokens/authorization.ts';
import { type CallerLoader } from '../tokens/caller-loader.ts';
import { type Token } from '../tokens/token.ts';
import { type Channel } from './channel.ts';

/** What a token could do in a channel if it were a member. */
export interface MembershipRights {
  /** Whether the token could take at least one action in the channel as a member. */
  mayActAsMember(token: Token, channel: Channel): Promise<boolean>;
  /**
   * Refuses a membership that would deliver no message to the token: an error is better than one without effect.
   * @throws FORBIDDEN when the token could not SUBSCRIBE as a member
   */
  requireMaySubscribe(token: Token, channel: Channel): Promise<void>;
}

export function createMembershipRights(callerLoader: CallerLoader): MembershipRights {
  return {
    async mayActAsMember(token, { id, type, kind }) {
      return (
        allowedActions(await callerLoader.loadRecord(token), { id, type, kind, isMember: true }).length > 0
      );
    },
    async requireMaySubscribe(token, { id, type, kind }) {
      const target = { id, type, kind, isMember: true };
      const { allowed, because } = decide(await callerLoader.loadRecord(token), 'SUBSCRIBE', target);
      if (!allowed)
        throw new SignalboxError(
          'FORBIDDEN',
          `The token “${token.id}” may not subscribe to the channel “${id}”: ${because}.`,
        );
    },
  };
}

export const tooManyMemberships = (limit: number) =>
  new SignalboxError('LIMIT_EXCEEDED', `A token may be subscribed to at most ${limit} channels.`, { limit });
