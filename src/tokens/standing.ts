import { type Clock } from '../clock.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Store } from '../store/store.ts';
import { asOf, type Caller, type CredentialFacts, type TokenCaller } from './caller.ts';
import { createRestrictionStore } from './restriction-store.ts';
import { subjectsOf } from './restriction.ts';
import { withClaims, type Token } from './token.ts';

/** What a record means for its bearer, with everything that decides what it may do: as of now. */
export interface Standing {
  /** In the hands of whoever presents this credential. */
  of(record: Token, credential: CredentialFacts): Promise<TokenCaller>;
  /** As its last credential has it. */
  ofRecord(record: Token): Promise<TokenCaller>;
  /** Somebody without a credential. */
  ofAnonymous(projectId: string): Promise<Caller>;
}

export function createStanding(parts: {
  store: Store;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
}): Standing {
  const { store, settingsOf, clock } = parts;
  const restrictions = createRestrictionStore(store);

  async function of(record: Token, credential: CredentialFacts): Promise<TokenCaller> {
    const { projectId } = record;
    const now = clock.now();
    const caller: TokenCaller = {
      kind: 'TOKEN',
      projectId,
      token: withClaims(record, credential.claims),
      credential,
      settings: await settingsOf(projectId),
      restrictions: await restrictions.inForce(projectId, subjectsOf(record), now),
    };
    return asOf(caller, now);
  }

  return {
    of,
    ofRecord: (record) =>
      of(record, {
        issuedAt: null,
        issuerId: record.issuerId,
        keyId: null,
        keyExpiresAt: null,
        claims: record.claims,
      }),
    ofAnonymous: async (projectId) => ({
      kind: 'ANONYMOUS',
      projectId,
      settings: await settingsOf(projectId),
    }),
  };
}
