import { type ApiKeyCaller, type Caller } from '../../src/tokens/caller.ts';
import { type Token } from '../../src/tokens/token.ts';

/** A caller with a token of project `default`; a publisher unless told otherwise. */
export function tokenCaller(over: Partial<Token> = {}): Caller {
  const token: Token = {
    id: 'token_1',
    projectId: 'default',
    identity: null,
    role: 'PUBLISHER',
    grants: null,
    connectionData: null,
    state: null,
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
    ...over,
  };
  return { kind: 'TOKEN', projectId: token.projectId, token };
}

/** A caller with an API key of project `default`. */
export function apiKeyCaller(): ApiKeyCaller {
  const apiKey = {
    id: 'key_1',
    projectId: 'default',
    name: 'test',
    operator: false,
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
  };
  return { kind: 'API_KEY', projectId: apiKey.projectId, apiKey };
}
