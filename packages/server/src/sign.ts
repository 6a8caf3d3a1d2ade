import { SignJWT } from 'jose';
import { SignalboxError } from './errors.ts';
import { type Action, type Role } from './generated/operations.ts';
import { checkInteger } from './options.ts';

/** A grant in a signed credential. */
export interface SignedGrant {
  /** A channel id in which `*` matches any characters between two colons, such as `room:*`. */
  channels: string;
  actions: readonly Action[];
  /** When the grant expires. Default: never. */
  expiresAt?: Date | undefined;
}

/** Options of `sign`. */
export interface SignOptions {
  /** Channels to subscribe the token to, as far as they exist and the role may enter: at most 100. */
  channels?: readonly string[] | undefined;
  /** A built-in or custom role of the project. Default: the role of the token, which is PUBLISHER until `updateToken` changes it. */
  role?: Role | (string & {}) | undefined;
  /** Grants that narrow the role. Default: the role is not narrowed. */
  grants?: readonly SignedGrant[] | undefined;
  /** Data about the token that other callers see in presence and as the sender of messages: at most 1,000 characters. */
  connectionData?: string | undefined;
  /** The lifetime in seconds: 1–3,155,760,000. Default: 3,600. */
  expiresIn?: number | undefined;
}

const HUNDRED_YEARS_SECONDS = 100 * 365.25 * 86_400;
const secondsOf = (date: Date) => Math.floor(date.getTime() / 1_000);

/** Creates the function that signs credentials with the secret that is derived from an API key. */
export function createSigner(apiKey: string): (identity: string, options?: SignOptions) => Promise<string> {
  let derived: Promise<Uint8Array> | undefined;
  const [kid = ''] = apiKey.split('.');

  return async (identity, { channels, role, grants, connectionData, expiresIn = 3_600 } = {}) => {
    if (typeof identity !== 'string' || identity === '')
      throw new SignalboxError('BAD_USER_INPUT', 'identity must not be empty.', { field: 'identity' });
    checkInteger('expiresIn', expiresIn, 1, HUNDRED_YEARS_SECONDS);
    const claims = {
      ...(channels && { channels }),
      ...(role !== undefined && { role }),
      ...(connectionData !== undefined && { data: connectionData }),
      ...(grants && {
        grants: grants.map(({ expiresAt, ...grant }) => ({
          ...grant,
          ...(expiresAt && { exp: secondsOf(expiresAt) }),
        })),
      }),
    };
    const issuedAt = secondsOf(new Date());
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid })
      .setSubject(identity)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + expiresIn)
      .sign(await (derived ??= deriveSecret(apiKey)));
  };
}

/** HMAC-SHA-256 of a fixed text under the API key: it signs credentials and does not open the API. */
async function deriveSecret(apiKey: string): Promise<Uint8Array> {
  const text = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', text.encode(apiKey), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, text.encode('signalbox credential')));
}
