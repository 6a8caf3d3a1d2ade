import { defaultSettings, type ProjectSettings } from '../../src/projects/project-settings.ts';
import { type ApiKeyCaller, type Caller, type TokenCaller } from '../../src/tokens/caller.ts';
import { blankToken, type Token } from '../../src/tokens/token.ts';

/** A caller with a token of project `default`. Its role is PUBLISHER by default. */
export function tokenCaller(
  overrides: Partial<Token> = {},
  {
    settings = {},
    ...rest
  }: Partial<Omit<TokenCaller, 'settings'>> & { settings?: Partial<ProjectSettings> } = {},
): TokenCaller {
  const token: Token = { ...blankToken('token_1', 'default', 1), ...overrides };
  return {
    kind: 'TOKEN',
    projectId: token.projectId,
    token,
    credential: {
      issuedAt: 1,
      issuerId: token.issuerId,
      keyId: null,
      keyExpiresAt: null,
      rights: token.credentialRights,
    },
    settings: { ...defaultSettings(false), ...settings },
    restrictions: [],
    ...rest,
  };
}

/** A caller without a credential, of project `default`. */
export function anonymousCaller(settings: Partial<ProjectSettings> = {}): Caller {
  return { kind: 'ANONYMOUS', projectId: 'default', settings: { ...defaultSettings(false), ...settings } };
}

/** A caller with an API key of project `default`. */
export function apiKeyCaller(): ApiKeyCaller {
  const apiKey = {
    id: 'key_1',
    projectId: 'default',
    name: 'test',
    operator: false,
    canSign: false,
    rootKeyId: 'key_1',
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
    scopes: null,
    channels: null,
    lastsUntil: null,
  };
  return { kind: 'API_KEY', projectId: apiKey.projectId, apiKey };
}
