import { parseDevelopmentToken } from './development.ts';
import { checkHeader, readJwt, type Jwt, type Unchecked } from './jwt.ts';
import { SERVER_TOKEN_REASON } from './stream-chat.ts';
import { parseT1, T1_PREFIX } from './t1.ts';
import { TWILIO_CONTENT_TYPE } from './twilio.ts';
import { refused } from '../credential-errors.ts';

/**
 * A kind that a credential may be, with the key, issuer or identity that it names. Nothing of this is proved: the
 * verifier of the kind has to check it.
 */
export type CredentialKind =
  /** Minted and signed by this service. */
  | { kind: 'MINTED'; jwt: Jwt }
  /** Unsigned, for projects with the setting `developmentTokens`. */
  | { kind: 'DEVELOPMENT'; identity: string }
  | { kind: 'SIGNALBOX' | 'TWILIO' | 'OPENTOK'; keyId: string }
  /** Stream user tokens name no key. `names`: the `kid` and `iss` that a framework added, of which none may name another issuer. */
  | { kind: 'STREAM'; names: readonly string[] }
  /** `issuer` is the `iss` claim; the payload tells the audiences of one provider apart. */
  | { kind: 'JWKS'; issuer: string; payload: Unchecked }
  /** Opens no connection, for example because it is for the REST API of a vendor. `reason`: see `refused`. */
  | { kind: 'UNUSABLE'; reason: string };

const MAX_NAME_LENGTH = 255;
/** The default of the setting `maxCredentialBytes`. */
const DEFAULT_MAX_BYTES = 32_768;

/**
 * Determines the kinds that a credential may be from its prefix, header and claims, without verifying the signature. The
 * first kind whose key or issuer the project has is final: a credential that fails the verifier of that kind is never
 * tried as another kind.
 *
 * @param maxBytes the setting `maxCredentialBytes`
 * @throws UNAUTHENTICATED when the credential is longer or of no kind that can open a connection
 */
export function classifyCredential(credential: string, maxBytes = DEFAULT_MAX_BYTES): CredentialKind[] {
  if (Buffer.byteLength(credential) > maxBytes) {
    throw refused(`it is longer than ${maxBytes} bytes; send fewer or shorter claims`, 'MALFORMED');
  }
  if (credential.startsWith(T1_PREFIX)) {
    const { partnerId } = parseT1(credential);
    if (!isName(partnerId)) throw namesNoKey('“partner_id”');
    return [{ kind: 'OPENTOK', keyId: partnerId }];
  }
  const identity = parseDevelopmentToken(credential);
  if (identity !== null) return [{ kind: 'DEVELOPMENT', identity }];
  const jwt = readJwt(credential);
  const { header, payload } = jwt;
  if (header['typ'] === 'signalbox+jwt') return [{ kind: 'MINTED', jwt }];
  checkHeader(header);
  return classifyExternal(header, payload);
}

/**
 * Headers decide before claims: only Twilio's tokens have its content type, and a `kid` that names a key of the project
 * decides before any claim, because backends choose their own claims.
 */
function classifyExternal(header: Unchecked, payload: Unchecked): CredentialKind[] {
  const { iss } = payload;
  if (header['cty'] === TWILIO_CONTENT_TYPE) return [byIss('TWILIO', iss)];
  const kid = header['kid'] ?? undefined;
  const byKid: CredentialKind[] = isName(kid) ? [{ kind: 'SIGNALBOX', keyId: kid }] : [];
  // OpenTok names its API key in `iss`, Vonage its application in `application_id`.
  if (payload['scope'] === 'session.connect')
    return [...byKid, byIss('OPENTOK', iss ?? payload['application_id'])];
  // The keys of a JSON Web Key Set are public, so only asymmetric signatures can be of a provider. OpenID Connect requires a URL
  // as its name, but some providers have none: Privy, Stytch, Dynamic.
  if (isAsymmetric(header) && isName(iss)) return [...byKid, { kind: 'JWKS', issuer: iss, payload }];
  const named: CredentialKind[] = isName(iss) ? [...byKid, { kind: 'SIGNALBOX', keyId: iss }] : byKid;
  const unnamed = classifyUnnamed(header, payload);
  const kinds = unnamed ? [...named, unnamed] : named;
  if (kinds.length === 0) throw namesNoKey('“kid” in its header');
  return kinds;
}

function byIss(kind: 'TWILIO' | 'OPENTOK', iss: unknown): CredentialKind {
  return isName(iss) ? { kind, keyId: iss } : { kind: 'UNUSABLE', reason: namesNoKeyReason('“iss”') };
}

/** Credentials whose key the header and `iss` do not have to name. */
function classifyUnnamed(header: Unchecked, payload: Unchecked): CredentialKind | undefined {
  // The secret that signs connection credentials also signs the two below, which authorise a backend. Accepting them
  // would turn a leaked backend token into a connection.
  if (payload['ist'] === 'project') return { kind: 'UNUSABLE', reason: REST_REASON };
  if ('server' in payload) return { kind: 'UNUSABLE', reason: SERVER_TOKEN_REASON };
  const names = [header['kid'] ?? undefined, payload['iss']].filter((name) => name !== undefined);
  const isStream = typeof payload['user_id'] === 'string';
  return isStream && names.every(isName) ? { kind: 'STREAM', names } : undefined;
}

const REST_REASON =
  'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect';

function isAsymmetric({ alg }: Unchecked): boolean {
  return typeof alg === 'string' && !alg.toUpperCase().startsWith('HS');
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH;
}

const namesNoKeyReason = (field: string) =>
  `it does not say which key signed it; set ${field} to the id of the key`;
const namesNoKey = (field: string) => refused(namesNoKeyReason(field), 'MALFORMED');
