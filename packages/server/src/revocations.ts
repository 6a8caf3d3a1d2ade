import {
  ListRevocationsDocument,
  RestoreTokensDocument,
  type RevocationFragment,
  RevokeTokensDocument,
  type RevokeTokensMutation,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type Request } from './transport/request.ts';

/** A revocation of many tokens. */
export type Revocation = RevocationFragment;

/** The tokens of an identity, of an issuer or API key, or of the whole project. */
export type RevocationTarget =
  | { identity: string; issuer?: undefined; all?: undefined }
  | { issuer: string; identity?: undefined; all?: undefined }
  | { all: true; identity?: undefined; issuer?: undefined };

/** The calls that revoke many tokens at once. */
export function createRevocations(request: Request) {
  return {
    /**
     * Refuses every credential of the target that was issued before a moment, and closes their connections before it resolves.
     * With `issuedBefore`, it is repeated when the answer is lost; without, a repetition could end newer logins.
     *
     * @param target `issuedBefore`: the moment. Default: now.
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT
     */
    async revokeTokens(
      { issuedBefore, ...target }: RevocationTarget & { issuedBefore?: Date | undefined },
      options?: CallOptions,
    ): Promise<RevokeTokensMutation['revokeTokens']> {
      const variables = { ...target, issuedBefore: issuedBefore?.toISOString() };
      const repetition = issuedBefore === undefined ? 'once' : 'repeatable';
      return (await request(RevokeTokensDocument, variables, repetition, options)).revokeTokens;
    },

    /** Yields the revocations of `revokeTokens` that were not undone; reads 100 at a time. */
    listRevocations(options?: CallOptions): AsyncGenerator<Revocation, void, undefined> {
      return listPages(async (after) => {
        const variables = { first: PAGE_SIZE, after };
        return (await request(ListRevocationsDocument, variables, 'repeatable', options)).revocations;
      });
    },

    /** Undoes `revokeTokens`. Resolves to null when there was no revocation. */
    async restoreTokens(target: RevocationTarget, options?: CallOptions): Promise<Revocation | null> {
      return (await request(RestoreTokensDocument, target, 'repeatable', options)).restoreTokens;
    },
  };
}
