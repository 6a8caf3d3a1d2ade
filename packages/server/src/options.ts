import { SignalboxError } from './errors.ts';

/** Options of `new Signalbox(apiKey, options)`. */
export interface SignalboxOptions {
  /** The address of the service: http or https. `/graphql` is appended where there is no path. */
  url: string;
  /** How long to wait for each answer, in milliseconds: 1–2,147,483,647. Default: 10,000. */
  timeoutMs?: number | undefined;
  /** How often a call is repeated after a retryable error: 0–10. Default: 3. */
  retries?: number | undefined;
  /** The `fetch` to use. Default: the global one, which keeps connections alive in Node, Bun and Deno. */
  fetch?: typeof fetch | undefined;
  /** Random numbers from 0 up to 1, for the waits between attempts. Default: `Math.random`. */
  random?: (() => number) | undefined;
}

/** Options of a single call; every call takes them last. */
export interface CallOptions {
  /** Ends the call. It then rejects with the `reason` of the signal; the service may have received the request. */
  signal?: AbortSignal | undefined;
  /** How long to wait for each answer, in milliseconds. Default: `timeoutMs` of the client. */
  timeoutMs?: number | undefined;
}

/** The parts of an API key: `key_<id>.<secret>`. */
const API_KEY = /^key_[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Validates the form of an API key, so that a missing environment variable is noticed at the start. */
export function checkApiKey(apiKey: unknown): string {
  if (typeof apiKey === 'string' && API_KEY.test(apiKey)) return apiKey;
  const found =
    apiKey === undefined || apiKey === '' ? 'The API key is missing.' : 'The API key is malformed.';
  throw new SignalboxError(
    'BAD_USER_INPUT',
    `${found} Pass the key that the service printed: key_<id>.<secret>.`,
    {
      field: 'apiKey',
    },
  );
}

/** Undefined for a text that is no URL. Not `URL.canParse`, which in Node 20 refuses some host names once it is optimized. */
function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** The address of the GraphQL endpoint. */
export function parseEndpoint(url: string): string {
  const endpoint = parseUrl(url);
  const fault =
    endpoint === undefined || !/^https?:$/.test(endpoint.protocol)
      ? 'must be an http or https address, such as https://realtime.example.'
      : endpoint.username !== '' || endpoint.password !== ''
        ? 'must not contain a credential; pass the API key as the first argument.'
        : undefined;
  if (endpoint === undefined || fault !== undefined)
    throw new SignalboxError('BAD_USER_INPUT', `url ${fault ?? ''}`, { field: 'url' });
  if (endpoint.pathname === '/') endpoint.pathname = '/graphql';
  return endpoint.href;
}

/** @throws BAD_USER_INPUT when `value` is not an integer within the range */
export function checkInteger(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SignalboxError('BAD_USER_INPUT', `${field} must be an integer from ${min} to ${max}.`, { field });
}
