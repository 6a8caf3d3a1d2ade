import { forbidden } from '../errors.ts';
import { type ApiKey, type ApiKeyRights, type ApiKeyScope } from '../projects/api-key.ts';
import { matchesPattern } from '../projects/channel-pattern.ts';

/**
 * Why the rights of an API key do not cover an operation; undefined when they do.
 * @param channel the channel that the operation is about; undefined: the operation is not about one channel
 */
export function refusalOf(
  { scopes, channels }: ApiKeyRights,
  scope: ApiKeyScope,
  channel: string | undefined,
): string | undefined {
  if (scopes && !scopes.includes(scope)) return `the API key lacks the scope ${scope}`;
  if (channels === null) return undefined;
  if (channel === undefined)
    return `the API key is limited to the channels “${channels}”, and this operation is not about one channel`;
  if (matchesPattern(channels, channel)) return undefined;
  return `the API key is limited to the channels “${channels}”`;
}

/**
 * Requires that the calling API key may do everything that a key with `rights` may do, and for as long, so that no key can
 * create or rotate one that may do more than itself.
 * @throws FORBIDDEN otherwise
 */
export function requireRightsFor(
  apiKey: Pick<ApiKey, 'scopes' | 'lastsUntil'>,
  { scopes, lastsUntil }: Pick<ApiKey, 'scopes' | 'lastsUntil'>,
): void {
  const own = apiKey.scopes;
  const missing = own && (scopes === null ? 'all scopes' : scopes.find((scope) => !own.includes(scope)));
  if (missing)
    throw forbidden(
      `An API key creates and rotates only keys that may do no more than itself; the calling key lacks ${missing}.`,
    );
  if (apiKey.lastsUntil !== null && (lastsUntil === null || lastsUntil > apiKey.lastsUntil))
    throw forbidden(
      `An API key creates and rotates only keys that last no longer than itself; the calling key expires at ${new Date(apiKey.lastsUntil).toISOString()}.`,
    );
}
