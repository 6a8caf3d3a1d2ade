import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type NewId } from '../ids.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Claims } from './issuers/claims.ts';
import { forgetAfter } from './lifetime.ts';
import { type Revocations } from './revocations.ts';
import { createTokenStore } from './token-store.ts';
import { blankToken, type CredentialRights, type Origin, type Token } from './token.ts';
import { requireOpen } from './tokens.ts';

/** Subscribes tokens to the channels that their credentials name, as far as those exist and let them in. */
export interface AutoSubscription {
  /** The rows that make a token, not yet written, a member. `makesChannels`: such as are missing are made. */
  first(token: Token, channelIds: readonly string[], makesChannels: boolean): Promise<Statement[]>;
  /** A token that is there, and perhaps live. */
  more(token: Token, channelIds: readonly string[]): Promise<void>;
}

/** The records of bearers whose credentials others sign: each is made when its first credential is used. */
export interface Provisioning {
  /**
   * The record of whoever the claims name to this issuer: the same subject has the same one.
   * @throws TOKEN_REVOKED, TOKEN_EXPIRED: what opens nothing leaves nothing behind
   */
  findOrCreate(
    whose: { projectId: string; issuerId: string; origin: Origin; makesChannels: boolean },
    claims: Claims,
    rights: CredentialRights,
  ): Promise<Token>;
}

export function createProvisioning(parts: {
  store: Store;
  clock: Clock;
  newId: NewId;
  audit: Audit;
  autoSubscription: AutoSubscription;
  revocations: Pick<Revocations, 'require'>;
}): Provisioning {
  const { store, clock, newId, audit, autoSubscription, revocations } = parts;
  const rows = createTokenStore(store);

  /** A later credential says what holds now; and what it newly names, unless it has been taken away since by somebody who knew of it. */
  async function renew(known: Token, { channels }: Claims, rights: CredentialRights): Promise<Token> {
    requireOpen(known, clock.now());
    const [before, after] = [known.credentialRights?.issuedAt ?? null, rights.issuedAt];
    const isOlder = before !== null && (after === null || after < before);
    if (isOlder || JSON.stringify(known.credentialRights) === JSON.stringify(rights)) return known;
    await rows.setCredentialRights(known.id, rights);
    const renewed = { ...known, credentialRights: rights };
    if (after !== null && after > (before ?? 0)) await autoSubscription.more(renewed, channels);
    return renewed;
  }

  return {
    async findOrCreate({ projectId, issuerId, origin, makesChannels }, claims, rights) {
      const { subject, identity, channels, isOneCredential } = claims;
      await revocations.require(projectId, { identity, issuerId, issuedAt: rights.issuedAt });
      const known = await rows.findBySubject(projectId, issuerId, subject);
      if (known) return renew(known, claims, rights);
      const token: Token = {
        ...blankToken(newId('token'), projectId, clock.now()),
        identity,
        origin,
        issuerId,
        subject,
        credentialRights: rights,
        forgetAfter: isOneCredential ? forgetAfter(rights.expiresAt) : null,
      };
      const memberships = await autoSubscription.first(token, channels, makesChannels);
      try {
        await store.batch([rows.insertion(token), ...memberships]);
      } catch (error) {
        // Somebody else was first, on another connection or node: then theirs is the record.
        const first = await rows.findBySubject(projectId, issuerId, subject);
        if (!first) throw error;
        return renew(first, claims, rights);
      }
      audit({ action: 'token.first-use', projectId, actor: token.id, subject: issuerId });
      return token;
    },
  };
}
