import { badInput } from '../../errors.ts';
import { parseText } from '../../names.ts';
import { JWKS_ALGORITHMS, type IssuerKind, type JwksAlgorithm, type Provider } from './issuer.ts';

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
  /** `audience` defaults to `aud` and `identity` to `sub`; the other claims are not read unless they are named. */
  claims?: { [Name in keyof Provider['claims']]?: string | undefined } | undefined;
}

export const MAX_SECRET_BYTES = 1024;
/**
 * Minimum for secrets of the kind SIGNALBOX: RFC 7518, section 3.2 requires a key at least as long as the hash. The
 * secrets of vendors are accepted at any length, because the vendor chooses them.
 */
export const MIN_OWN_SECRET_BYTES = 32;
export const MAX_ISSUER_TEXT_LENGTH = 255;
/** Audiences per provider: every client of one provider that connects, such as a web page and mobile applications. */
export const MAX_AUDIENCES = 20;

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
export function parseKey({ id, secret }: KeyInput, kind: IssuerKind, field: string): KeyInput {
  const bytes = Buffer.byteLength(secret);
  const min = kind === 'SIGNALBOX' ? MIN_OWN_SECRET_BYTES : 1;
  if (bytes < min || bytes > MAX_SECRET_BYTES)
    throw badInput(`${field}.secret`, `has ${bytes} bytes; ${min}–${MAX_SECRET_BYTES} are allowed.`);
  if (id.startsWith('key_'))
    throw badInput(`${field}.id`, 'must not begin with key_, which is reserved for the ids of API keys.');
  return { id: parseShortText(id, `${field}.id`), secret };
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
  if (!isPlainHttps(url))
    throw badInput(`${field}.url`, 'must be an https:// URL without user, password or fragment.');
  if (!issuer.startsWith('https://')) throw badInput(`${field}.issuer`, 'must begin with https://.');
  if (audience !== undefined && !(audiences.length === 1 && audiences[0] === audience))
    throw badInput(`${field}.audience`, 'and audiences are mutually exclusive; put all into audiences.');
  if (audiences.length === 0 || audiences.length > MAX_AUDIENCES)
    throw badInput(`${field}.audiences`, `has ${audiences.length} entries; 1–${MAX_AUDIENCES} are allowed.`);
  if (algorithms.length === 0) throw badInput(`${field}.algorithms`, 'must not be empty.');
  const claim = (name: keyof Provider['claims']) =>
    claims[name] === undefined ? null : parseShortText(claims[name], `${field}.claims.${name}`);
  return {
    url: parseShortText(url, `${field}.url`),
    issuer: parseShortText(issuer, `${field}.issuer`),
    audiences: audiences.map((text, index) => parseShortText(text, `${field}.audiences[${index}]`)),
    algorithms: JWKS_ALGORITHMS.filter((algorithm) => algorithms.includes(algorithm)),
    claims: {
      audience: claim('audience') ?? 'aud',
      identity: claim('identity') ?? 'sub',
      role: claim('role'),
      grants: claim('grants'),
      connectionData: claim('connectionData'),
    },
  };
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
