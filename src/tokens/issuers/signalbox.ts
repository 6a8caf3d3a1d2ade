import { parseName } from '../../names.ts';
import { asCredentialError, parseIdentityClaim, parseRoleClaim, parseTextClaim } from './claim-values.ts';
import { parseTimes } from './claims.ts';
import { parseGrantsClaim } from './grants-claim.ts';
import { verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

const ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** The number of channels that one credential may subscribe its token to. */
export const MAX_CLAIMED_CHANNELS = 100;

/**
 * Verifies a JWT that a backend signs itself, with its API key or with the secret of a SIGNALBOX issuer. `kid` in the
 * header, or `iss`, names the key. Claims: `{ sub, role?, grants?, data?, channels?, iat?, nbf?, exp? }`. See Verify.
 *
 * @example
 * new SignJWT({ sub: 'ada', role: 'PUBLISHER', channels: ['lobby'] })
 *   .setProtectedHeader({ alg: 'HS256', kid: 'key_…' })
 *   .sign(secret)
 */
export const verifySignalbox: Verify = async (credential, _issuer, keys, context) => {
  const { payload, key } = await verifyHmac(credential, keys, ALGORITHMS);
  const identity = parseIdentityClaim(payload['sub'], 'sub');
  const claims = {
    subject: identity,
    identity,
    role: parseRoleClaim(payload['role'], 'role'),
    grants: parseGrantsClaim(payload['grants'], 'grants', context.maxGrants),
    connectionData: parseTextClaim(payload['data'], 'data'),
    channels: parseChannelsClaim(payload['channels']),
    isSingleCredential: false,
  };
  return { claims: { ...claims, ...parseTimes(payload, context.now) }, key };
};

function parseChannelsClaim(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_CLAIMED_CHANNELS) {
    throw refused(`its “channels” must be a list of at most ${MAX_CLAIMED_CHANNELS} channel ids`);
  }
  const ids = value.map((id: unknown, index) => {
    if (typeof id !== 'string') throw refused(`its channels[${index}] must be a string`);
    return asCredentialError(() => parseName('channel', id, `its channels[${index}]`));
  });
  return [...new Set(ids)];
}
