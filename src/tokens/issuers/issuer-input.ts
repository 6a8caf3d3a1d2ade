import { badInput } from '../../errors.ts';
import { parseText } from '../../names.ts';
import { isPublicKey, parsePublicKey } from './public-key.ts';
import {
  JWKS_ALGORITHMS,
  type ClaimMap,
  type Issuer,
  type IssuerKind,
  type JwksAlgorithm,
  type Provider,
} from './issuer.ts';

/** Input of `createIssuer`. The kind determines which of the optional fields are required. */
export interface IssuerInput {
  kind: IssuerKind;
  /** Defaults to the kind. */
  name?: string | undefined;
  /** Required, except for JWKS. */
  key?: KeyInput | undefined;
  /** Required for TWILIO. */
  account?: string | undefined;
  service?: string | undefined;
  /** Required for JWKS. */
  provider?: ProviderInput | undefined;
}

export interface KeyInput {
  id: string;
  /** Exactly one of `secret` and `publicKey` is given. */
  secret?: string | undefined;
  /** OPENTOK: the RSA public key of a Vonage application, as PEM. */
  publicKey?: string | undefined;
}

/** A key as it is stored: the secret, or a public key as PEM. */
export interface ParsedKey {
  id: string;
  secret: string;
}

export interface ProviderInput {
  url: string;
  issuer: string;
  /** Exactly one of `audience` and `audiences` is required. */
  audience?: string | undefined;
  audiences?: readonly string[] | undefined;
  /** Defaults to RS256. */
  algorithms?: readonly JwksAlgorithm[] | undefined;
  /** `identity` defaults to `sub`; the other claims are not read unless they are named. */
  claims?: { [Name in keyof Provider['claims']]?: string | undefined } | undefined;
}

export const MAX_SECRET_BYTES = 1024;
/**
 * Minimum for secrets of the kind SIGNALBOX: RFC 7518, section 3.2 requires a key at least as long as the hash. The
 * secrets of vendors are accepted at any length, because the vendor chooses them.
 */
export const MIN_OWN_SECRET_BYTES = 32;
export const MAX_ISSUER_TEXT_LENGTH = 255;
export const MAX_AUDIENCES = 20;

/** Input of `updateIssuer`: absent fields stay as they are. */
export interface IssuerChange {
  name?: string | undefined;
  /** TWILIO only; null: any service. */
  service?: string | null | undefined;
  /** JWKS only. Its `iss` cannot change, because its subjects would become those of another party. */
  provider?: ProviderChange | undefined;
}

type ProviderChange = Pick<ProviderInput, 'audiences' | 'algorithms' | 'claims'> & {
  url?: string | undefined;
};

/** @throws BAD_USER_INPUT when a field is malformed or not applicable to the kind of the issuer */
export function parseIssuerChange(issuer: Issuer, { name, service, provider }: IssuerChange): Issuer {
  if (service !== undefined && issuer.kind !== 'TWILIO')
    throw badInput('input.service', 'is for TWILIO only.');
  if (provider !== undefined && !issuer.provider) throw badInput('input.provider', 'is for JWKS only.');
  return {
    ...issuer,
    ...(name !== undefined && { name: parseText(name, 'input.name') }),
    ...(service !== undefined && {
      service: service === null ? null : parseShortText(service, 'input.service'),
    }),
    ...(provider && issuer.provider && { provider: changeProvider(issuer.provider, provider) }),
  };
}

function changeProvider(
  provider: Provider,
  { url, audiences, algorithms, claims }: ProviderChange,
): Provider {
  return {
    ...provider,
    ...(url !== undefined && { url: parseUrl(url) }),
    ...(audiences && { audiences: parseAudiences(audiences) }),
    ...(algorithms && { algorithms: parseAlgorithms(algorithms) }),
    ...(claims && { claims: parseClaimMap(claims) }),
  };
}

/** @throws BAD_USER_INPUT when a field is malformed, missing, or not applicable to the kind */
export function parseIssuer(input: IssuerInput) {
  const { kind, name = kind, account, service, provider } = input;
  const isTwilio = kind === 'TWILIO';
  const isJwks = kind === 'JWKS';
  if (!isTwilio && account !== undefined) throw badInput('input.account', 'is for TWILIO only.');
  if (!isTwilio && service !== undefined) throw badInput('input.service', 'is for TWILIO only.');
  if (isTwilio && account === undefined)
    throw badInput('input.account', 'is required: the account SID, which the “sub” of a token must equal.');
  if (isJwks !== (provider !== undefined))
    throw badInput('input.provider', isJwks ? 'is required for JWKS.' : 'is for JWKS only.');
  if (isJwks === (input.key !== undefined))
    throw badInput('input.key', isJwks ? KEYS_ARE_FETCHED : `is required for ${kind}.`);
  return {
    kind,
    name: parseText(name, 'input.name'),
    account: account === undefined ? null : parseShortText(account, 'input.account'),
    service: service === undefined ? null : parseShortText(service, 'input.service'),
    provider: provider === undefined ? null : parseProvider(provider),
  };
}

export const KEYS_ARE_FETCHED = 'is not for JWKS: the keys are fetched from the URL of the provider.';

/**
 * @param field The path of the key in the input, as a prefix for the field that an error names.
 * @throws BAD_USER_INPUT when the id or the secret is malformed
 */
export function parseKey({ id, secret, publicKey }: KeyInput, kind: IssuerKind, field: string): ParsedKey {
  if ((secret === undefined) === (publicKey === undefined))
    throw badInput(`${field}.secret`, 'is required, or publicKey instead.');
  if (publicKey !== undefined && kind !== 'OPENTOK')
    throw badInput(`${field}.publicKey`, 'is for OPENTOK only.');
  if (id.startsWith('key_'))
    throw badInput(`${field}.id`, 'must not begin with key_, which is reserved for the ids of API keys.');
  const parsedId = parseShortText(id, `${field}.id`);
  return publicKey === undefined
    ? { id: parsedId, secret: parseSecret(secret ?? '', kind, `${field}.secret`) }
    : { id: parsedId, secret: parsePublicKey(publicKey, `${field}.publicKey`) };
}

function parseSecret(secret: string, kind: IssuerKind, field: string): string {
  const bytes = Buffer.byteLength(secret);
  const min = kind === 'SIGNALBOX' ? MIN_OWN_SECRET_BYTES : 1;
  if (bytes < min || bytes > MAX_SECRET_BYTES)
    throw badInput(field, `has ${bytes} bytes; ${min}–${MAX_SECRET_BYTES} are allowed.`);
  if (isPublicKey(secret)) throw badInput(field, 'is a public key, which is no secret.');
  return secret;
}

function parseProvider({
  url,
  issuer,
  audience,
  audiences = audience === undefined ? [] : [audience],
  algorithms = ['RS256'],
  claims = {},
}: ProviderInput): Provider {
  const field = 'input.provider';
  if (audience !== undefined && !(audiences.length === 1 && audiences[0] === audience))
    throw badInput(`${field}.audience`, 'and audiences are mutually exclusive; put all into audiences.');
  const keys = parseUrl(url);
  return {
    url: keys,
    issuer: parseProviderName(issuer, keys, `${field}.issuer`),
    audiences: parseAudiences(audiences),
    algorithms: parseAlgorithms(algorithms),
    claims: parseClaimMap(claims),
  };
}

/**
 * The name of a provider is compared with `iss` and never requested. OpenID Connect requires an https URL, but AD FS writes
 * http, Stytch and Dynamic a host with a path, Privy and FusionAuth a domain, and Descope an id. The host of the keys alone is
 * nearly always a URL that was cut short.
 */
function parseProviderName(name: string, url: string, field: string): string {
  if (name.toLowerCase() === URL.parse(url)?.hostname)
    throw badInput(field, 'must begin with https:// or http://, as the claim iss does.');
  return parseShortText(name, field);
}

function parseAudiences(audiences: readonly string[]): string[] {
  const field = 'input.provider.audiences';
  if (audiences.length === 0 || audiences.length > MAX_AUDIENCES)
    throw badInput(field, `has ${audiences.length} entries; 1–${MAX_AUDIENCES} are allowed.`);
  return audiences.map((audience, index) => parseShortText(audience, `${field}[${index}]`));
}

function parseAlgorithms(algorithms: readonly JwksAlgorithm[]): JwksAlgorithm[] {
  if (algorithms.length === 0) throw badInput('input.provider.algorithms', 'must not be empty.');
  return JWKS_ALGORITHMS.filter((algorithm) => algorithms.includes(algorithm));
}

function parseClaimMap(claims: NonNullable<ProviderInput['claims']>): ClaimMap {
  const claim = (name: keyof ClaimMap) =>
    claims[name] === undefined ? null : parseShortText(claims[name], `input.provider.claims.${name}`);
  return {
    identity: claim('identity') ?? 'sub',
    audience: claim('audience') ?? 'aud',
    role: claim('role'),
    grants: claim('grants'),
    connectionData: claim('connectionData'),
  };
}

function parseUrl(url: string): string {
  const field = 'input.provider.url';
  if (!isPlainHttps(url))
    throw badInput(field, 'must be an https:// URL without user, password or fragment.');
  return parseShortText(url, field);
}

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}

function parseShortText(text: string, field: string): string {
  if (text === '' || text.length > MAX_ISSUER_TEXT_LENGTH)
    throw badInput(field, `has ${text.length} characters; 1–${MAX_ISSUER_TEXT_LENGTH} are allowed.`);
  return parseText(text, field);
}
