import { type IncomingMessage } from 'node:http';
import { SignalboxError } from '../errors.ts';
import { parseUrl } from '../names.ts';
import { isKnownHost, type HostConfig } from './hosts.ts';

/**
 * Whether a request with this Origin header is allowed: the service's own pages, under a known name, and the origins in `config.origins`,
 * compared exactly; `*` allows every origin. In development, pages of the developer's own machine are allowed, too, since
 * their server has another port. Requests without an origin are allowed, because only browsers send one: the check
 * protects users of browsers, credentials protect everything else.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  config: HostConfig,
): boolean {
  if (origin === undefined) return true;
  const { origins, mode } = config;
  if (origins.includes('*') || origins.includes(origin)) return true;
  if (mode === 'development' && LOOPBACK_ORIGIN.test(origin)) return true;
  const isSameHost = host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
  // Under a name that is not known, the page of the same host may be a foreign page (DNS rebinding).
  return isSameHost && isKnownHost(host, config);
}

const LOOPBACK_ORIGIN =
  /^https?:\/\/(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/;
/** The error does not repeat a longer origin: it cannot be an entry of a list of the operator. */
const MAX_NAMED_ORIGIN_LENGTH = 200;

/** The error for a page whose origin is not allowed. It names the origin and the setting that allows it. */
export function originRefused(origin: string): SignalboxError {
  const isPrintable = /^[\x21-\x7e]+$/.test(origin) && origin.length <= MAX_NAMED_ORIGIN_LENGTH;
  const named = isPrintable ? `The origin “${origin}”` : 'This origin';
  return new SignalboxError('FORBIDDEN', `${named} is not allowed. Add it to SIGNALBOX_ORIGINS.`, {
    reason: 'ORIGIN',
  });
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
export function hasCredentialInUrl(url: Readonly<URL>): boolean {
  if (url.search === '') return false;
  return [...url.searchParams.keys()].some((name) => SECRET_PARAMETERS.has(name.toLowerCase()));
}

/** The target of most requests, parsed once. */
const ENDPOINT = new URL('http://localhost/graphql');

/** Parses the target of a request. Undefined if it is not a valid URL. The host of the result is a placeholder. */
export function parseRequestUrl({ url = '/' }: IncomingMessage): Readonly<URL> | undefined {
  if (url === ENDPOINT.pathname) return ENDPOINT;
  const text = url.startsWith('/') ? `http://localhost${url}` : url;
  return parseUrl(text);
}
