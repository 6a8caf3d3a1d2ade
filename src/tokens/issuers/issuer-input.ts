import { badInput } from '../../errors.ts';
import { parseText } from '../../names.ts';
import { JWKS_ALGORITHMS, type IssuerKind, type JwksAlgorithm, type Provider } from './issuer.ts';

/** What a caller says of an issuer. Which of it is needed depends on the kind. */
export interface IssuerInput {
  kind: IssuerKind;
  name?: string | undefined;
  key?: KeyInput | undefined;
  account?: string | undefined;
  service?: string | undefined;
  provider?: ProviderInput | undefined;
}

export interface KeyInput {
  id: string;
  secret: string;
}

export interface ProviderInput {
  url: string;
  issuer: string;
  audience: string;
  algorithms?: readonly JwksAlgorithm[] | undefined;
  claims?: { [Name in keyof Provider['claims']]?: string | undefined } | undefined;
}

export const MAX_SECRET_BYTES = 1024;
/** Below, HMAC with SHA-256 is weaker than it says. Secrets of vendors are as they are. */
export const MIN_OWN_SECRET_BYTES = 32;
export const MAX_ISSUER_TEXT_LENGTH = 255;

/** @throws BAD_USER_INPUT */
export function parseIssuer(input: IssuerInput) {
  const { kind, name = kind, account, service, provider } = input;
  const isTwilio = kind === 'TWILIO';
  const misplaced = (field: string, when: string) => badInput(`input.${field}`, `is for ${when} only.`);
  if (!isTwilio && account !== undefined) throw misplaced('account', 'TWILIO');
  if (!isTwilio && service !== undefined) throw misplaced('service', 'TWILIO');
  if (isTwilio && account === undefined)
    throw badInput('input.account', 'is needed: the account SID, which a token’s “sub” must be.');
  if ((kind === 'JWKS') !== (provider !== undefined))
    throw badInput('input.provider', kind === 'JWKS' ? 'is needed.' : 'is for JWKS only.');
  if ((kind === 'JWKS') === (input.key !== undefined))
    throw badInput('input.key', kind === 'JWKS' ? 'is not for JWKS: its keys are fetched.' : 'is needed.');
  return {
    kind,
    name: parseText(name, 'input.name'),
    account: account === undefined ? null : parseShort(account, 'input.account'),
    service: service === undefined ? null : parseShort(service, 'input.service'),
    provider: provider === undefined ? null : parseProvider(provider),
  };
}

/** @throws BAD_USER_INPUT naming what is wrong within `field` */
export function parseKey({ id, secret }: KeyInput, kind: IssuerKind, field: string): KeyInput {
  const bytes = Buffer.byteLength(secret);
  const min = kind === 'SIGNALBOX' ? MIN_OWN_SECRET_BYTES : 1;
  if (bytes < min || bytes > MAX_SECRET_BYTES)
    throw badInput(`${field}.secret`, `has ${bytes} bytes; ${min}–${MAX_SECRET_BYTES} are allowed.`);
  if (id.startsWith('key_')) throw badInput(`${field}.id`, 'begins with key_, as the ids of API keys do.');
  return { id: parseShort(id, `${field}.id`), secret };
}

function parseProvider({
  url,
  issuer,
  audience,
  algorithms = ['RS256'],
  claims = {},
}: ProviderInput): Provider {
  const field = 'input.provider';
  if (!isPlainHttps(url))
    throw badInput(`${field}.url`, 'must be an https:// URL without user, password or fragment.');
  if (!issuer.startsWith('https://')) throw badInput(`${field}.issuer`, 'must begin with https://.');
  if (algorithms.length === 0) throw badInput(`${field}.algorithms`, 'must not be empty.');
  const claim = (name: keyof Provider['claims']) =>
    claims[name] === undefined ? null : parseShort(claims[name], `${field}.claims.${name}`);
  return {
    url: parseShort(url, `${field}.url`),
    issuer: parseShort(issuer, `${field}.issuer`),
    audience: parseShort(audience, `${field}.audience`),
    algorithms: JWKS_ALGORITHMS.filter((algorithm) => algorithms.includes(algorithm)),
    claims: {
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

function parseShort(text: string, field: string): string {
  if (text === '' || text.length > MAX_ISSUER_TEXT_LENGTH)
    throw badInput(field, `has ${text.length} characters; 1–${MAX_ISSUER_TEXT_LENGTH} are allowed.`);
  return parseText(text, field);
}
