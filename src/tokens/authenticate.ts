import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ApiKeys } from '../projects/api-keys.ts';
import { type Caller } from './caller.ts';
import { unauthenticated, type Credentials } from './credentials.ts';
import { requireOpen, type Tokens } from './tokens.ts';

const API_KEY_PREFIX = 'key_';

/** Turns what a client presents into who it is. Kinds are told apart by an explicit prefix, never by what fails to verify. */
export interface Authenticate {
  /** @throws UNAUTHENTICATED */
  apiKey(text: string): Promise<Caller>;
  /** @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED */
  credential(text: string): Promise<Caller>;
  /** The caller as the rows have it now. @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED when it opens nothing any more */
  refresh(caller: Caller): Promise<Caller>;
  /** Whichever of the two `text` is: for the Authorization header, which has one place for both. */
  bearer(text: string): Promise<Caller>;
}

export function createAuthenticate(parts: {
  apiKeys: ApiKeys;
  credentials: Credentials;
  tokens: Tokens;
  clock: Clock;
}): Authenticate {
  const { apiKeys, credentials, tokens, clock } = parts;

  async function apiKey(text: string): Promise<Caller> {
    return keyCaller(await apiKeys.verify(text));
  }

  function keyCaller(key: ApiKey | undefined): Caller {
    if (!key) throw new SignalboxError('UNAUTHENTICATED', 'The API key is unknown or has ended.');
    return { kind: 'API_KEY', projectId: key.projectId, apiKey: key };
  }

  async function credential(text: string): Promise<Caller> {
    const { projectId, tokenId } = await credentials.verify(text);
    return tokenCaller(projectId, tokenId);
  }

  async function tokenCaller(projectId: string, tokenId: string): Promise<Caller> {
    const token = await tokens.find(projectId, tokenId);
    if (!token) throw unauthenticated();
    requireOpen(token, clock.now());
    return { kind: 'TOKEN', projectId, token };
  }

  return {
    apiKey,
    credential,
    async refresh(caller) {
      if (caller.kind === 'TOKEN') return tokenCaller(caller.projectId, caller.token.id);
      return caller.kind === 'API_KEY' ? keyCaller(await apiKeys.findOpen(caller.apiKey.id)) : caller;
    },
    bearer: (text) => (text.startsWith(API_KEY_PREFIX) ? apiKey(text) : credential(text)),
  };
}
