import { isObject } from '../../is-object.ts';
import { claimAt, parseIdentityClaim } from './claim-values.ts';
import { claimsOfUser, livesTooLong, MAX_SKEW_SECONDS, parseSeconds, parseTimes } from './claims.ts';
import { type Issuer } from './issuer.ts';
import { type Unchecked, verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/** The `cty` header of Twilio access tokens. */
export const TWILIO_CONTENT_TYPE = 'twilio-fpa;v=1';
const ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** Twilio refuses longer lifetimes (error 20157), but the `AccessToken` class of its SDK does not enforce the limit. */
export const MAX_TWILIO_LIFETIME_SECONDS = 86_400;

/**
 * Verifies a Twilio access token with a `SyncGrant`, as `AccessToken` of npm `twilio` mints it: a JWT signed with the
 * secret of an API key, where `iss` is the API key SID (`SK…`), `sub` the account SID (`AC…`), `grants.identity` the user
 * and `grants.data_sync.service_sid` the Sync service (`IS…`). The SDKs for other languages mint the same without `iat`.
 * See Verify.
 */
export const verifyTwilio: Verify = async (credential, issuer, keys, context) => {
  const { header, payload, key } = await verifyHmac(credential, keys, ALGORITHMS);
  if (header['typ'] !== 'JWT' || header['cty'] !== TWILIO_CONTENT_TYPE) {
    throw refused('its header is not the header of a Twilio access token; mint it with AccessToken');
  }
  if (payload['iss'] !== key.id) throw refused('its “iss” must be the SID of the API key that signed it');
  if (issuer.account !== null && payload['sub'] !== issuer.account) {
    throw refused('its “sub” must be the account SID of its issuer');
  }
  checkSyncGrant(payload, issuer.service);
  const identity = parseIdentityClaim(claimAt(payload, '/grants/identity'), 'grants.identity');
  checkLifetime(payload, context.now);
  const { expiresAt } = parseTimes(payload, context.now);
  const issuedAt = parseIssuedAt(payload, context.now);
  return { claims: { ...claimsOfUser(identity), issuedAt, expiresAt }, key };
};

function checkSyncGrant(payload: Unchecked, service: Issuer['service']): void {
  const grant = claimAt(payload, '/grants/data_sync');
  if (!isObject(grant)) throw refused('it has no Sync grant; add a SyncGrant to the access token');
  if (service !== null && claimAt(grant, 'service_sid') !== service) {
    throw refused('its Sync grant must name the service SID of its issuer');
  }
}

/** Only Twilio's SDK for Node writes `iat`. Without `iat` and `nbf` the lifetime begins when the token is presented. */
function checkLifetime({ iat, nbf, exp }: Unchecked, now: number): void {
  const end = parseSeconds(exp, 'exp');
  if (end === null) throw refused('it must have an “exp” in seconds since 1970');
  const start = parseSeconds(iat, 'iat') ?? parseSeconds(nbf, 'nbf') ?? now;
  const lifetime = Math.ceil((end - start) / 1000);
  if (lifetime > MAX_TWILIO_LIFETIME_SECONDS) throw livesTooLong(lifetime, MAX_TWILIO_LIFETIME_SECONDS);
}

/** Every SDK ends `jti` with the seconds at which it minted the token. */
const JTI_SECONDS = /-(\d{9,11})$/;

/**
 * The SDK for Java computes those seconds in single precision (AccessToken.java: `getTime() / 1000.0f`), which makes them a
 * multiple of 128 that is up to 130 seconds early or late.
 */
const SINGLE_PRECISION = { step: 128, maxError: 130 };
/** Usual lifetimes are multiples of 5 minutes. From rounded seconds to `exp` it is such a multiple only when the error is 0. */
const USUAL_LIFETIME_STEP = 300;

/**
 * The time of issue by which `revokeTokens` compares, in milliseconds since 1970: the earliest one where `jti` is not exact, so
 * that no token survives its revocation. Null, which every revocation covers, when neither `iat`, `nbf` nor `jti` states a
 * time that has come.
 */
function parseIssuedAt({ iat, nbf, jti, exp }: Unchecked, now: number): number | null {
  const stated = parseSeconds(iat, 'iat') ?? parseSeconds(nbf, 'nbf');
  if (stated !== null) return stated;
  const text = typeof jti === 'string' ? JTI_SECONDS.exec(jti)?.[1] : undefined;
  if (text === undefined) return null;
  const seconds = Number(text);
  const isRounded =
    seconds % SINGLE_PRECISION.step === 0 && (Number(exp) - seconds) % USUAL_LIFETIME_STEP !== 0;
  const minted = (seconds - (isRounded ? SINGLE_PRECISION.maxError : 0)) * 1000;
  return minted <= now + MAX_SKEW_SECONDS * 1000 ? minted : null;
}
