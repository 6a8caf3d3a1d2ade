import { type IncomingMessage } from 'node:http';

/**
 * Whether a web page of this origin may talk to us: our own pages, and those on the list, letter by letter. Programs
 * send no origin and are let in: an origin protects people in browsers, credentials protect the rest.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  list: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (list.includes('*') || list.includes(origin)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/** Parameters under which people put secrets into URLs, where logs and histories keep them. */
const SECRET_PARAMETERS = new Set([
  'token',
  'apikey',
  'api_key',
  'key',
  'access_token',
  'authorization',
  'credential',
  'secret',
]);

/** Whether the URL carries a credential, which is refused wherever it would have worked. */
export function hasCredentialInUrl(url: URL): boolean {
  return [...url.searchParams.keys()].some((name) => SECRET_PARAMETERS.has(name.toLowerCase()));
}

/** The URL that was asked for, whose host is of no interest here; undefined when it is none. */
export function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  const text = url.startsWith('/') ? `http://localhost${url}` : url;
  return URL.canParse(text) ? new URL(text) : undefined;
}
