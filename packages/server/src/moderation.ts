import {
  BanDocument,
  DisconnectDocument,
  ListRestrictionsDocument,
  MuteDocument,
  type RestrictionFragment,
  UnbanDocument,
  UnmuteDocument,
} from './generated/operations.ts';
import { type Recipient } from './messages.ts';
import { type CallOptions } from './options.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type TokenOrIdentity } from './tokens.ts';
import { type Request } from './transport/request.ts';

/** A mute or a ban. */
export type Restriction = RestrictionFragment;

interface RestrictionOptions {
  /** When the restriction ends by itself. Default: when it is lifted. */
  until?: Date | undefined;
  /** The reason that the restricted client is shown. */
  reason?: string | undefined;
}

/** The calls that moderate. */
export function createModeration(request: Request) {
  return {
    /**
     * Takes PUBLISH away from a token or an identity: in one channel, or without `channel` in all.
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT, LIMIT_EXCEEDED
     */
    async mute(
      { until, ...target }: TokenOrIdentity & RestrictionOptions & { channel?: string | undefined },
      options?: CallOptions,
    ): Promise<Restriction> {
      const variables = { ...target, until: until?.toISOString() };
      return (await request(MuteDocument, variables, 'repeatable', options)).mute;
    },

    /** Lifts a mute. Resolves to null when there was none. */
    async unmute(
      target: TokenOrIdentity & { channel?: string | undefined },
      options?: CallOptions,
    ): Promise<Restriction | null> {
      return (await request(UnmuteDocument, target, 'repeatable', options)).unmute;
    },

    /**
     * Takes all actions in a channel away from a token or an identity. Memberships stay, without effect until the ban ends.
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT, LIMIT_EXCEEDED
     */
    async ban(
      { until, ...target }: TokenOrIdentity & RestrictionOptions & { channel: string },
      options?: CallOptions,
    ): Promise<Restriction> {
      const variables = { ...target, until: until?.toISOString() };
      return (await request(BanDocument, variables, 'repeatable', options)).ban;
    },

    /** Lifts a ban. Resolves to null when there was none. */
    async unban(
      target: TokenOrIdentity & { channel: string },
      options?: CallOptions,
    ): Promise<Restriction | null> {
      return (await request(UnbanDocument, target, 'repeatable', options)).unban;
    },

    /** Yields the mutes and bans that apply now, oldest first; reads 100 at a time. */
    listRestrictions(
      filter: Partial<TokenOrIdentity> & { channel?: string | undefined } = {},
      options?: CallOptions,
    ): AsyncGenerator<Restriction, void, undefined> {
      return listPages(async (after) => {
        const variables = { ...filter, first: PAGE_SIZE, after };
        return (await request(ListRestrictionsDocument, variables, 'repeatable', options)).restrictions;
      });
    },

    /**
     * Closes live connections with code 1008 and resolves to their number. The tokens stay valid: use `ban` or
     * `tokens.revoke` to keep a client out. Not repeated when the answer is lost, because the clients may be back.
     */
    async disconnect(
      target: Recipient & { channel?: string | undefined; reason?: string | undefined },
      options?: CallOptions,
    ): Promise<number> {
      return (await request(DisconnectDocument, target, 'once', options)).disconnect;
    },
  };
}
