import { type IncomingMessage } from 'node:http';

/**
 * Whether a request with this Origin header is allowed: the service's own pages and the origins in `list`, compared
 * exactly; `*` allows every origin. Requests without an origin are allowed, because only browsers send one: the check
 * protects users of browsers, credentials protect everything else.
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

/** Common names of URL parameters that hold a secret, in lower case. */
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

/** Whether the URL contains a credential. Such requests are refused, because logs and browser histories keep URLs. */
export function hasCredentialInUrl(url: URL): boolean {
  return [...url.searchParams.keys()].some((name) => SECRET_PARAMETERS.has(name.toLowerCase()));
}

/** Parses the target of a request. Undefined if it is not a valid URL. The host of the result is a placeholder. */
export function parseRequestUrl({ url = '/' }: IncomingMessage): URL | undefined {
  const text = url.startsWith('/') ? `http://localhost${url}` : url;
  return URL.canParse(text) ? new URL(text) : undefined;
}
