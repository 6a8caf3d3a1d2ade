import { badInput } from '../errors.ts';
import { parsePattern } from './channel-pattern.ts';

/** A right of an API key. A key without scopes may do everything in its project. */
export const API_KEY_SCOPES = {
  READ: 'Read tokens, channels, messages, presence, restrictions and settings, and subscribe to channels.',
  PUBLISH: 'Publish messages and direct messages.',
  TOKENS: 'Create, update and revoke tokens, and create credentials.',
  CHANNELS: 'Create, change and delete channels, their state and their memberships.',
  MODERATE: 'Mute, ban and disconnect.',
  KEYS: 'List, create, rotate and revoke API keys. A key creates and rotates only keys that may do no more than itself.',
  ADMIN:
    'Change the settings and the issuers of the project. With an issuer, the holder of this scope can sign credentials for any identity.',
} as const;

export type ApiKeyScope = keyof typeof API_KEY_SCOPES;

/** The scopes that act in one channel at a time. Only they can be limited to some channels. */
export const CHANNEL_SCOPES: readonly ApiKeyScope[] = ['READ', 'PUBLISH', 'CHANNELS', 'MODERATE'];

/** The rights of an API key. */
export interface ApiKeyRights {
  /** Null: all scopes, also those of later versions. */
  scopes: readonly ApiKeyScope[] | null;
  /** A pattern as in grants: the key acts in matching channels only, and on nothing outside a channel. Null: no limit. */
  channels: string | null;
}

/** The credential of a backend. It allows the actions of its scopes inside its project. */
export interface ApiKey extends ApiKeyRights {
  /** `key_<id>` */
  id: string;
  projectId: string;
  name: string;
  /** Whether the key may also administer the service: create projects and their API keys, rotate the signing key. */
  operator: boolean;
  /** Whether credentials signed with the key's secret are accepted. */
  canSign: boolean;
  /** The first key of its chain of rotations. Tokens refer to it as their issuer, so that a rotation does not change the issuer. */
  rootKeyId: string;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /** Milliseconds since 1970, UTC; set at the creation or by a rotation. Null: the key does not expire. */
  expiresAt: number | null;
  /** The expiry that was set at the creation, in milliseconds since 1970, UTC: successors end then at the latest. Null: none. */
  lastsUntil: number | null;
  /** Milliseconds since 1970, UTC; null: the key was not revoked. */
  revokedAt: number | null;
}

/** The rights of a new key, before validation. */
export interface ApiKeyRightsInput {
  scopes?: readonly ApiKeyScope[] | undefined;
  channels?: string | undefined;
}

export const ALL_RIGHTS: ApiKeyRights = { scopes: null, channels: null };

/**
 * @throws BAD_USER_INPUT when no scope is named, the pattern is malformed, or channels limit a scope that does not act in
 * one channel
 */
export function parseRights({ scopes, channels }: ApiKeyRightsInput, canSign: boolean): ApiKeyRights {
  if (scopes?.length === 0)
    throw badInput('scopes', 'is empty; name at least one scope, or omit it for all scopes.');
  if (scopes && canSign && !scopes.includes('TOKENS'))
    throw badInput('canSign', 'needs the scope TOKENS, because a signed credential creates its token.');
  if (channels === undefined) return { scopes: scopes ? inOrder(scopes) : null, channels: null };
  if (!scopes?.every((scope) => CHANNEL_SCOPES.includes(scope)))
    throw badInput(
      'channels',
      `limits only the scopes ${CHANNEL_SCOPES.join(', ')}; name those that the key needs.`,
    );
  return { scopes: inOrder(scopes), channels: parsePattern(channels, 'channels') };
}

/** Each scope once, in the order of the catalogue. */
function inOrder(scopes: readonly ApiKeyScope[]): ApiKeyScope[] {
  return (Object.keys(API_KEY_SCOPES) as ApiKeyScope[]).filter((scope) => scopes.includes(scope));
}
