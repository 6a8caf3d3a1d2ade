import { parseDevelopmentToken } from './development.ts';
import { checkHeader, readJwt, type Unchecked } from './jwt.ts';
import { rejectServerToken } from './stream-chat.ts';
import { parseT1, T1_PREFIX } from './t1.ts';
import { TWILIO_CONTENT_TYPE } from './twilio.ts';
import { MAX_CREDENTIAL_BYTES, refused } from '../credential-errors.ts';

/**
 * The kind that a credential claims to be, with the key, issuer or identity that it names. Nothing of this is proved:
 * the verifier of the kind has to check it.
 */
export type CredentialKind =
  /** Minted and signed by this service. */
  | { kind: 'MINTED' }
  /** Unsigned, for projects with the setting `developmentTokens`. */
  | { kind: 'DEVELOPMENT'; identity: string }
  | { kind: 'SIGNALBOX' | 'TWILIO' | 'OPENTOK'; keyId: string }
  /** Stream user tokens name no key. */
  | { kind: 'STREAM' }
  /** `issuer` is the `iss` claim. */
  | { kind: 'JWKS'; issuer: string };

const MAX_KEY_ID_LENGTH = 255;

/**
 * Determines the kind of a credential from its prefix, header and claims, without verifying the signature. The first
 * kind that matches is final: a credential that fails the verifier of its kind is never tried as another kind.
 *
 * @throws UNAUTHENTICATED when the credential is of no kind that can open a connection
 */
export function classifyCredential(credential: string): CredentialKind {
  if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) {
    throw refused(`it is longer than ${MAX_CREDENTIAL_BYTES} bytes; send fewer or shorter claims`);
  }
  if (credential.startsWith(T1_PREFIX)) {
    return { kind: 'OPENTOK', keyId: parseKeyId(parseT1(credential).partnerId, '“partner_id”') };
  }
  const identity = parseDevelopmentToken(credential);
  if (identity !== null) return { kind: 'DEVELOPMENT', identity };
  const { header, payload } = readJwt(credential);
  if (header['typ'] === 'signalbox+jwt') return { kind: 'MINTED' };
  checkHeader(header);
  return classifyExternal(header, payload);
}

function classifyExternal(header: Unchecked, payload: Unchecked): CredentialKind {
  const { iss } = payload;
  if (header['cty'] === TWILIO_CONTENT_TYPE) return { kind: 'TWILIO', keyId: parseKeyId(iss, '“iss”') };
  if (payload['scope'] === 'session.connect') return { kind: 'OPENTOK', keyId: parseKeyId(iss, '“iss”') };
  // The secret that signs connection credentials also signs the two below, which authorise a backend. Accepting them
  // would turn a leaked backend token into a connection.
  if (payload['ist'] === 'project') {
    throw refused(
      'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect',
    );
  }
  rejectServerToken(payload);
  if (typeof iss === 'string' && iss.startsWith('https://')) return { kind: 'JWKS', issuer: iss };
  const { kid } = header;
  if (iss === undefined && kid === undefined && typeof payload['user_id'] === 'string') {
    return { kind: 'STREAM' };
  }
  return { kind: 'SIGNALBOX', keyId: parseKeyId(kid ?? iss, '“kid” in its header') };
}

function parseKeyId(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_KEY_ID_LENGTH) {
    throw refused(`it does not say which key signed it; set ${field} to the id of the key`);
  }
  return value;
}
