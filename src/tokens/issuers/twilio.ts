import { claimAt, identityOf } from './claim-values.ts';
import { parseTimes } from './claims.ts';
import { type Issuer } from './issuer.ts';
import { isObject, type Unchecked, verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

export const TWILIO_CONTENT_TYPE = 'twilio-fpa;v=1';
const ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** Twilio's own bound, which its SDK does not keep. */
export const MAX_TWILIO_LIFETIME_SECONDS = 86_400;

/** An access token of Twilio with a grant for Sync. See Verify. */
export const verifyTwilio: Verify = async (credential, issuer, keys, at) => {
  const { header, payload, key } = await verifyHmac(credential, keys, ALGORITHMS);
  if (header['typ'] !== 'JWT' || header['cty'] !== TWILIO_CONTENT_TYPE) {
    throw refused('its header is not that of an access token');
  }
  if (payload['iss'] !== key.id) throw refused('its “iss” is not the key that signed it');
  if (issuer.account !== null && payload['sub'] !== issuer.account) {
    throw refused('its “sub” is not the account of its issuer');
  }
  checkSyncGrant(payload, issuer.service);
  const identity = identityOf(claimAt(payload, '/grants/identity'), 'grants.identity');
  checkLifetime(payload);
  const claims = {
    subject: identity,
    identity,
    role: null,
    grants: null,
    connectionData: null,
    channels: [],
    isOneCredential: false,
  };
  return { claims: { ...claims, ...parseTimes(payload, at.now) }, key };
};

function checkSyncGrant(payload: Unchecked, service: Issuer['service']): void {
  const grant = claimAt(payload, '/grants/data_sync');
  if (!isObject(grant)) throw refused('it has no grant for Sync');
  if (service !== null && claimAt(grant, 'service_sid') !== service) {
    throw refused('its grant is not for the service of its issuer');
  }
}

function checkLifetime({ iat, exp }: Unchecked): void {
  if (typeof iat !== 'number' || typeof exp !== 'number') throw refused('it must have an “iat” and an “exp”');
  const lifetime = exp - iat;
  if (lifetime > MAX_TWILIO_LIFETIME_SECONDS) {
    throw refused(`it lives ${lifetime} seconds; at most ${MAX_TWILIO_LIFETIME_SECONDS} are allowed`);
  }
}
