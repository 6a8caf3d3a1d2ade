import { parseName } from '../../names.ts';
import { claimed, identityOf, roleOf, textOf } from './claim-values.ts';
import { parseTimes } from './claims.ts';
import { grantsOf } from './grants-claim.ts';
import { verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

const ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** How many channels one credential may subscribe its bearer to. */
export const MAX_CLAIMED_CHANNELS = 100;

/** A JWT in our own words, signed by a backend with the secret of its API key. See Verify. */
export const verifySignalbox: Verify = async (credential, _issuer, keys, at) => {
  const { payload, key } = await verifyHmac(credential, keys, ALGORITHMS);
  const identity = identityOf(payload['sub'], 'sub');
  const claims = {
    subject: identity,
    identity,
    role: roleOf(payload['role'], 'role'),
    grants: grantsOf(payload['grants'], 'grants', at.maxGrants),
    connectionData: textOf(payload['data'], 'data'),
    channels: channelsOf(payload['channels']),
    isOneCredential: false,
  };
  return { claims: { ...claims, ...parseTimes(payload, at.now) }, key };
};

function channelsOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_CLAIMED_CHANNELS) {
    throw refused(`its “channels” must be a list of at most ${MAX_CLAIMED_CHANNELS}`);
  }
  const ids = value.map((id: unknown, index) => {
    if (typeof id !== 'string') throw refused(`channels[${index}] must be a string`);
    return claimed(() => parseName('channel', id, `channels[${index}]`));
  });
  return [...new Set(ids)];
}
