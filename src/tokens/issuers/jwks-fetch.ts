import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { isObject } from '../../is-object.ts';
import { publicLookup, requirePublicHost } from './public-address.ts';

/** Time limit of one fetch in milliseconds, from the DNS look-up to the last byte. */
export const JWKS_TIMEOUT_MS = 5000;
export const MAX_JWKS_BYTES = 256 * 1024;
export const MAX_JWKS_KEYS = 100;

/** @throws TypeError when the URL is not `https:` */
export function parseKeySetUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'https:') throw new TypeError('The URL of a JSON Web Key Set must be https.');
  return url;
}

/**
 * Fetches a JSON Web Key Set (RFC 7517). Redirects are not followed, so only the configured host is ever contacted.
 * @param allowsPrivateAddress whether the host may be, or resolve to, a private or loopback address
 * @throws Error when the response is late, larger than 256 KiB, not 200, or not a key set of at most 100 keys
 */
export async function fetchKeySet(
  url: URL,
  signal: AbortSignal,
  allowsPrivateAddress: boolean,
): Promise<{ keys: object[] }> {
  if (!allowsPrivateAddress) requirePublicHost(url);
  const request = get(url, {
    signal,
    ...(!allowsPrivateAddress && { lookup: publicLookup }),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  const responded = once(request, 'response') as Promise<[IncomingMessage]>;
  // Once the response has begun, reading it reports the error. Without a listener the request would throw it as well.
  request.on('error', () => undefined);
  const [response] = await responded;
  try {
    if (response.statusCode !== 200)
      throw new Error(`The response status was ${response.statusCode ?? 'missing'}, not 200.`);
    return parseKeySet(await readBody(response));
  } finally {
    response.destroy();
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_JWKS_BYTES) throw new Error(`The response is larger than ${MAX_JWKS_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseKeySet(text: string): { keys: object[] } {
  const set: unknown = JSON.parse(text);
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) {
    throw new Error('The response is not a JSON Web Key Set.');
  }
  if (keys.length > MAX_JWKS_KEYS) throw new Error(`The response has more than ${MAX_JWKS_KEYS} keys.`);
  return { keys };
}
