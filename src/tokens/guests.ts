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
import { forgetAfter } from './lifetime.ts';
import { createTokenStore } from './token-store.ts';
import { blankToken, type Token } from './token.ts';
import { type MintedToken } from './tokens.ts';

export interface Guests {
  /**
   * Makes whoever asks a guest, with an identity that nobody else has or can have.
   * @throws FORBIDDEN where the project takes no guests, RATE_LIMITED by network address, BAD_USER_INPUT
   */
  create(
    caller: Caller,
    address: string,
    input: { name?: string | undefined; connectionData?: string | undefined },
  ): Promise<MintedToken>;
}

export function createGuests(parts: {
  store: Store;
  credentials: Credentials;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  arrivals: RateLimit;
  audit: Audit;
}): Guests {
  const { store, credentials, settingsOf, clock, newId, arrivals, audit } = parts;
  const rows = createTokenStore(store);
  return {
    async create({ projectId }, address, { name, connectionData }) {
      const settings = await settingsOf(projectId);
      if (!settings.guests) throw new SignalboxError('FORBIDDEN', 'This project takes no guests.');
      arrivals.take(address);
      const now = clock.now();
      const seconds = Math.min(
        settings.guestSeconds,
        settings.maxLifetimeSeconds ?? Number.POSITIVE_INFINITY,
      );
      const expiresAt = now + seconds * 1000;
      const id = newId('token');
      const token: Token = {
        ...blankToken(id, projectId, now),
        identity: guestIdentity(id.slice('token_'.length), name),
        origin: 'GUEST',
        role: 'GUEST',
        connectionData:
          connectionData === undefined ? null : parseText(connectionData, 'input.connectionData'),
        expiresAt,
        forgetAfter: forgetAfter(expiresAt),
      };
      await store.batch([rows.insertion(token)]);
      audit({ action: 'guest.create', projectId, actor: 'anonymous', subject: token.id });
      return { token, credential: await credentials.mint(token) };
    },
  };
}
