/**
 * Authentication: turn the token record and the credential into a caller, with the settings of
 * the project and the restrictions in force. `authorization.ts` then decides each action of that caller.
 */
import { type Clock } from '../clock.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Store } from '../store/store.ts';
import { applyLapses, type Caller, type CredentialInfo, type TokenCaller } from './caller.ts';
import { createRestrictionStore } from './restriction-store.ts';
import { subjectsOf } from './restriction.ts';
import { withCredentialRights, type Token } from './token.ts';

/**
 * Loads callers with everything that authorization needs, without grants and restrictions that have lapsed.
 */
export interface CallerLoader {
  /** The caller that presents `credential` for the token `record`. */
  load(record: Token, credential: CredentialInfo): Promise<TokenCaller>;
  /**
   * The caller of a token without a live credential: with the rights of the last credential that it
   * presented.
   */
  loadRecord(record: Token): Promise<TokenCaller>;
  /** The caller without a credential. @throws NOT_FOUND when the project does not exist */
  loadAnonymous(projectId: string): Promise<Caller>;
}

export function createCallerLoader(deps: {
  store: Store;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
}): CallerLoader {
  const { store, settingsOf, clock } = deps;
  const restrictionStore = createRestrictionStore(store);

  async function load(record: Token, credential: CredentialInfo): Promise<TokenCaller> {
    const { projectId } = record;
    const now = clock.now();
    const caller: TokenCaller = {
      kind: 'TOKEN',
      projectId,
      token: withCredentialRights(record, credential.rights),
      credential,
      settings: await settingsOf(projectId),
      restrictions: await restrictionStore.inForce(projectId, subjectsOf(record), now),
    };
    return applyLapses(caller, now);
  }

  return {
    load,
    loadRecord: (record) =>
      load(record, {
        issuedAt: null,
        issuerId: record.issuerId,
        keyId: null,
        keyExpiresAt: null,
        rights: record.credentialRights,
      }),
    loadAnonymous: async (projectId) => ({
      kind: 'ANONYMOUS',
      projectId,
      settings: await settingsOf(projectId),
    }),
  };
}
