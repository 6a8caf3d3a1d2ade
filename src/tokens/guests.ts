import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseText } from '../names.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Store } from '../store/store.ts';
import { type Caller } from './caller.ts';
import { type Credentials } from './credentials.ts';
import { guestIdentity } from './identity.ts';
import { purgeTime } from './lifetime.ts';
import { createTokenStore } from './token-store.ts';
import { blankToken, type Token } from './token.ts';
import { type TokenWithCredential } from './tokens.ts';

export interface Guests {
  /**
   * Creates a token with the role GUEST and a unique identity, for any caller. It expires after the project's
   * `guestSeconds`, or after `maxLifetimeSeconds` if that is shorter.
   * @param address the network address of the client, for the rate limit
   * @throws FORBIDDEN when guests are disabled in the project
   * @throws RATE_LIMITED when too many guests come from one network address
   * @throws BAD_USER_INPUT when the name or the connection data is malformed
   */
  create(
    caller: Caller,
    address: string,
    input: { name?: string | undefined; connectionData?: string | undefined },
  ): Promise<TokenWithCredential>;
}

export function createGuests(deps: {
  store: Store;
  credentials: Credentials;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  /** Limits new guests per network address. */
  guestRate: RateLimit;
  audit: Audit;
}): Guests {
  const { store, credentials, settingsOf, clock, newId, guestRate, audit } = deps;
  const tokenStore = createTokenStore(store);
  return {
    async create({ projectId }, address, { name, connectionData }) {
      const settings = await settingsOf(projectId);
      if (!settings.guests) throw new SignalboxError('FORBIDDEN', 'Guests are disabled in this project.');
      guestRate.take(address);
      const now = clock.now();
      const lifetimeSeconds = Math.min(
        settings.guestSeconds,
        settings.maxLifetimeSeconds ?? Number.POSITIVE_INFINITY,
      );
      const expiresAt = now + lifetimeSeconds * 1000;
      const id = newId('token');
      const token: Token = {
        ...blankToken(id, projectId, now),
        identity: guestIdentity(id.slice('token_'.length), name),
        origin: 'GUEST',
        role: 'GUEST',
        connectionData:
          connectionData === undefined ? null : parseText(connectionData, 'input.connectionData'),
        expiresAt,
        purgeAfter: purgeTime(expiresAt),
      };
      await store.batch([tokenStore.insertion(token)]);
      audit({
        action: 'guest.create',
        projectId,
        actor: 'anonymous',
        subject: token.id,
        ...(token.identity !== null && { identity: token.identity }),
      });
      return { token, credential: await credentials.sign(token) };
    },
  };
}
