import { badInput, type SignalboxError, unauthenticated } from '../errors.ts';
import { NOT_A_CURSOR } from '../messages/cursor.ts';

/** What the payload of a `connection_init` asks for. At most one of `token` and `apiKey` and `bearer` is set. */
export interface ConnectionInit {
  token?: string;
  apiKey?: string;
  /** An API key or a credential, from `Authorization: Bearer …`. */
  bearer?: string;
  /** The project of an anonymous caller, or of a credential that does not name one. */
  project?: string;
  /** The cursor from which the subscriptions of the connection resume unless they name another one. */
  since?: string;
}

/** Without quotation marks, and one name for each purpose, so that the sentence fits into a close frame. */
const KEYS = 'token or apiKey or Authorization; project; since';
/** Three parts in base64url, the first of which is a JSON object. */
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;
/** A longer key may be a secret that was sent in the wrong place, so it is not repeated. */
const PLAIN_KEY = /^[A-Za-z_-]{1,24}$/;

/**
 * Reads the payload of a `connection_init`. Keys that Signalbox does not know, empty credentials and two credentials are
 * refused: a misspelled credential must not open a connection of an anonymous caller.
 * @throws UNAUTHENTICATED for unknown keys and malformed credentials, BAD_USER_INPUT for a malformed `since`
 */
export function parseConnectionInit(payload: Readonly<Record<string, unknown>>): ConnectionInit {
  const init: ConnectionInit = {};
  const credentialKeys: string[] = [];
  for (const [key, value] of Object.entries(payload)) {
    switch (key) {
      case 'token':
      case 'credential':
        init.token = requireBare(key, value);
        if (init.token.startsWith('key_'))
          throw malformed(`“${key}” holds an API key; send it as “apiKey”, and only from a backend`);
        credentialKeys.push(key);
        break;
      case 'apiKey':
        init.apiKey = requireBare(key, value);
        if (JWT.test(init.apiKey)) throw malformed('“apiKey” holds a credential; send it as “token”');
        credentialKeys.push(key);
        break;
      case 'authorization':
      case 'Authorization':
        init.bearer = parseBearer(requireCredential(key, value));
        credentialKeys.push(key);
        break;
      case 'project':
        if (!isAbsent(value)) init.project = requireString(key, value);
        break;
      case 'since':
        if (!isAbsent(value)) init.since = requireCursor(value);
        break;
      default:
        throw unknownKey(key);
    }
  }
  if (credentialKeys.length > 1)
    throw malformed(`send one of ${credentialKeys.map((key) => `“${key}”`).join(' and ')}, not both`);
  return init;
}

/**
 * The API key or credential of an Authorization header.
 * @throws UNAUTHENTICATED unless it is `Bearer <API key or credential>`
 */
export function parseBearer(authorization: string): string {
  const bearer = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  if (bearer === undefined)
    throw malformed('the Authorization header must be “Bearer <API key or credential>”');
  return bearer;
}

/** Headers in which other services take a key or a token. */
const FOREIGN_HEADERS = [
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-access-token',
  'token',
] as const;
/** Enough of a credential for its header. */
const MAX_HEADER_LENGTH = 400;

/**
 * The name of a header that holds an API key or a credential of this service where it is not read. A proxy may add such headers
 * of its own, so only what this service made counts.
 * @param isUpgrade whether the request opens a WebSocket, for which the Authorization header is not read either
 */
export function findMisplacedCredential(
  header: (name: string) => string | null | undefined,
  isUpgrade: boolean,
): string | undefined {
  // A browser cannot set the header, and adds one of the scheme Basic by itself.
  if (isUpgrade && /^Bearer\s/i.test(header('authorization') ?? '')) return 'authorization';
  return FOREIGN_HEADERS.find((name) => {
    const value = header(name);
    return value != null && isOwnCredential(value);
  });
}

function isOwnCredential(value: string): boolean {
  if (value.startsWith('key_')) return true;
  const [head = ''] = value.slice(0, MAX_HEADER_LENGTH).split('.', 1);
  return Buffer.from(head, 'base64url').toString().includes('"signalbox+jwt"');
}

/** @throws UNAUTHENTICATED, because the caller would be anonymous without knowing why */
export function refuseMisplacedCredential(header: string, place: string): never {
  throw malformed(`the header “${header}” is not read; ${place}`);
}

const isAbsent = (value: unknown) => value === undefined || value === null || value === '';

function requireCredential(key: string, value: unknown): string {
  if (isAbsent(value))
    throw unauthenticated(
      `“${key}” is empty. Send a credential, or leave the key out to connect anonymously.`,
      'MALFORMED',
    );
  return requireString(key, value);
}

/** A credential without the scheme of the Authorization header. With it, the refusal would call the credential no JWT. */
function requireBare(key: string, value: unknown): string {
  const credential = requireCredential(key, value);
  if (/^Bearer\s/i.test(credential))
    throw malformed(`leave out “Bearer” in “${key}”, or send it as “Authorization”`);
  return credential;
}

function requireString(key: string, value: unknown): string {
  if (typeof value !== 'string') throw malformed(`${key} must be a string`);
  return value;
}

function requireCursor(value: unknown): string {
  if (typeof value === 'string') return value;
  throw badInput('since', NOT_A_CURSOR);
}

function unknownKey(key: string): SignalboxError {
  const named = PLAIN_KEY.test(key) ? `has an unknown key “${key}”` : 'has a key that is not known';
  return unauthenticated(`connection_init ${named}. Send ${KEYS}.`, 'MALFORMED');
}

function malformed(problem: string): SignalboxError {
  return unauthenticated(`The credentials are malformed: ${problem}.`, 'MALFORMED');
}
