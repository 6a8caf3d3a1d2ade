import { type Clock } from '../clock.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Store } from '../store/store.ts';
import { asOf, type Caller, type CredentialInfo, type TokenCaller } from './caller.ts';
import { createRestrictionStore } from './restriction-store.ts';
import { subjectsOf } from './restriction.ts';
import { withCredentialRights, type Token } from './token.ts';

/** What a record means for its bearer, with everything that decides what it may do: as of now. */
export interface CallerLoader {
  /** In the hands of whoever presents this credential. */
  load(record: Token, credential: CredentialInfo): Promise<TokenCaller>;
  /** As its last credential has it. */
  loadRecord(record: Token): Promise<TokenCaller>;
  /** Somebody without a credential. */
  loadAnonymous(projectId: string): Promise<Caller>;
}

export function createCallerLoader(parts: {
  store: Store;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
}): CallerLoader {
  const { store, settingsOf, clock } = parts;
  const restrictions = createRestrictionStore(store);

  async function load(record: Token, credential: CredentialInfo): Promise<TokenCaller> {
    const { projectId } = record;
    const now = clock.now();
    const caller: TokenCaller = {
      kind: 'TOKEN',
      projectId,
      token: withCredentialRights(record, credential.rights),
      credential,
      settings: await settingsOf(projectId),
      restrictions: await restrictions.inForce(projectId, subjectsOf(record), now),
    };
    return asOf(caller, now);
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
