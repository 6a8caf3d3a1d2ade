import { identityOfDevelopmentToken } from './development.ts';
import { checkHeader, readJwt, type Unchecked } from './jwt.ts';
import { parseT1, T1_PREFIX } from './t1.ts';
import { TWILIO_CONTENT_TYPE } from './twilio.ts';
import { MAX_CREDENTIAL_BYTES, refused } from '../credential-errors.ts';

/** Which kind a credential claims to be, and whose. Proves nothing. */
export type CredentialKind =
  | { kind: 'OURS' }
  | { kind: 'DEVELOPMENT'; identity: string }
  | { kind: 'SIGNALBOX' | 'TWILIO' | 'OPENTOK'; keyId: string }
  | { kind: 'STREAM' }
  | { kind: 'JWKS'; issuer: string };

const MAX_KEY_ID_LENGTH = 255;

/**
 * Tells the kind by what stands in the credential: prefix, header, claims. The first that fits holds, so that one which
 * fails as its kind is never tried as another.
 * @throws UNAUTHENTICATED for whatever is of no kind that opens a connection.
 */
export function classifyCredential(credential: string): CredentialKind {
  if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) {
    throw refused(`it is longer than ${MAX_CREDENTIAL_BYTES} bytes`);
  }
  if (credential.startsWith(T1_PREFIX)) {
    return { kind: 'OPENTOK', keyId: keyId(parseT1(credential).partnerId) };
  }
  const identity = identityOfDevelopmentToken(credential);
  if (identity !== null) return { kind: 'DEVELOPMENT', identity };
  const { header, payload } = readJwt(credential);
  if (header['typ'] === 'signalbox+jwt') return { kind: 'OURS' };
  checkHeader(header);
  return classifyExternal(header, payload);
}

function classifyExternal(header: Unchecked, payload: Unchecked): CredentialKind {
  const { iss } = payload;
  if (header['cty'] === TWILIO_CONTENT_TYPE) return { kind: 'TWILIO', keyId: keyId(iss) };
  if (payload['scope'] === 'session.connect') return { kind: 'OPENTOK', keyId: keyId(iss) };
  // Both are signed with the secret that signs connection credentials, and are held by servers only.
  if (payload['ist'] === 'project') throw refused('it is for a REST API, not for a connection');
  if ('server' in payload) throw refused('it is for a server, not for a connection');
  if (typeof iss === 'string' && iss.startsWith('https://')) return { kind: 'JWKS', issuer: iss };
  const { kid } = header;
  if (iss === undefined && kid === undefined && typeof payload['user_id'] === 'string') {
    return { kind: 'STREAM' };
  }
  return { kind: 'SIGNALBOX', keyId: keyId(kid ?? iss) };
}

function keyId(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_KEY_ID_LENGTH) {
    throw refused('it does not say which key signed it');
  }
  return value;
}
