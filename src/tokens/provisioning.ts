/**
 * Authentication with credentials of other issuers: find the token record of the credential's
 * subject, or create it at the first use. `caller-loader.ts` then loads the caller.
 */
import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type NewId } from '../ids.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Claims } from './issuers/claims.ts';
import { purgeTime } from './lifetime.ts';
import { type Revocations } from './revocations.ts';
import { createTokenStore } from './token-store.ts';
import { blankToken, type CredentialRights, type Origin, type Token } from './token.ts';
import { requireActive } from './tokens.ts';

/**
 * Subscribes tokens to the channels that their credentials name. Skips channels that are missing or not
 * allowed.
 */
export interface AutoSubscription {
  /**
   * The membership rows of a token that is not yet stored, for the caller to write together with the token.
   * @param createsChannels whether to create missing channels
   */
  prepare(token: Token, channelIds: readonly string[], createsChannels: boolean): Promise<Statement[]>;
  /**
   * Subscribes a stored token, and its live connections. Idempotent.
   * @throws LIMIT_EXCEEDED when the token has too many memberships; it stays subscribed to the channels before
   */
  subscribe(token: Token, channelIds: readonly string[]): Promise<void>;
  /**
   * Deletes the records of memberships that ended before the credential of the token was issued. Only after the rights of this
   * credential are stored: until then, a credential that is older than these records could begin the memberships again.
   */
  forgetSuperseded(token: Token): Promise<void>;
}

/**
 * The token records behind credentials that other issuers sign. The first use of a credential creates the
 * record.
 */
export interface Provisioning {
  /**
   * The record of the claimed subject. All credentials of one issuer with the same subject share a record; a
   * newer credential updates the record's rights.
   * @throws TOKEN_REVOKED, TOKEN_EXPIRED without creating a record
   */
  findOrCreate(
    source: { projectId: string; issuerId: string; origin: Origin; createsChannels: boolean },
    claims: Claims,
    rights: CredentialRights,
  ): Promise<Token>;
}

export function createProvisioning(deps: {
  store: Store;
  clock: Clock;
  newId: NewId;
  audit: Audit;
  autoSubscription: AutoSubscription;
  revocations: Pick<Revocations, 'requireNotRevoked'>;
}): Provisioning {
  const { store, clock, newId, audit, autoSubscription, revocations } = deps;
  const tokenStore = createTokenStore(store);

  /** Of two credentials of one subject, the second one reads what the first one stored. */
  const serialize = createKeyedMutex();

  /**
   * Subscribes the token to the channels that a newer credential names, and stores the rights of that credential. A
   * credential that is not newer does not subscribe, so that it cannot undo a later `unsubscribeToken`.
   */
  async function updateRights(known: Token, { channels }: Claims, rights: CredentialRights): Promise<Token> {
    requireActive(known, clock.now());
    if (!changesRights(known, rights)) return known;
    return serialize(known.id, async () => {
      const current = await tokenStore.find(known.projectId, known.id);
      if (!current) return known;
      requireActive(current, clock.now());
      if (!changesRights(current, rights)) return current;
      const updated: Token = { ...current, credentialRights: rights };
      const isNewer = rights.issuedAt !== null && rights.issuedAt > (current.credentialRights?.issuedAt ?? 0);
      // Subscribe before storing: if it fails, the credential is still newer when the client presents it again, and subscribes
      // the token to the remaining channels.
      if (isNewer) await autoSubscription.subscribe(updated, channels);
      if (!(await tokenStore.setCredentialRights(current.id, rights))) return current;
      if (isNewer) await autoSubscription.forgetSuperseded(updated);
      return updated;
    });
  }

  return {
    async findOrCreate({ projectId, issuerId, origin, createsChannels }, claims, rights) {
      const { subject, identity, channels, isSingleCredential } = claims;
      await revocations.requireNotRevoked(projectId, { identity, issuerId, issuedAt: rights.issuedAt });
      const known = await tokenStore.findBySubject(projectId, issuerId, subject);
      if (known) return updateRights(known, claims, rights);
      const token: Token = {
        ...blankToken(newId('token'), projectId, clock.now()),
        identity,
        origin,
        issuerId,
        subject,
        credentialRights: rights,
        purgeAfter: isSingleCredential ? purgeTime(rights.expiresAt) : null,
      };
      const memberships = await autoSubscription.prepare(token, channels, createsChannels);
      try {
        await store.batch([tokenStore.insertion(token), ...memberships]);
      } catch (error) {
        // Another connection or node may have created the record of this subject in the meantime: use that record.
        const concurrent = await tokenStore.findBySubject(projectId, issuerId, subject);
        if (!concurrent) throw error;
        return updateRights(concurrent, claims, rights);
      }
      audit({
        action: 'token.first-use',
        projectId,
        actor: token.id,
        subject: issuerId,
        ...(identity !== null && { identity }),
      });
      return token;
    },
  };
}

/** Whether a credential with these rights replaces the stored ones: they differ, and were not issued before. */
function changesRights({ credentialRights }: Token, rights: CredentialRights): boolean {
  const [before, after] = [credentialRights?.issuedAt ?? null, rights.issuedAt];
  const isOlder = before !== null && (after === null || after < before);
  return !isOlder && JSON.stringify(credentialRights) !== JSON.stringify(rights);
}
