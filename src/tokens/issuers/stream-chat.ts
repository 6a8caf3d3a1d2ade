import { identityOf } from './claim-values.ts';
import { parseTimes } from './claims.ts';
import { verifyHmac } from './jwt.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/** A user token of Stream: `{ user_id, exp?, iat? }`. It names no key, so several may be tried. See Verify. */
export const verifyStream: Verify = async (credential, _issuer, keys, at) => {
  const { payload, key } = await verifyHmac(credential, keys, ['HS256']);
  if ('server' in payload) throw refused('it is for a server, not for a connection');
  const identity = identityOf(payload['user_id'], 'user_id');
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
