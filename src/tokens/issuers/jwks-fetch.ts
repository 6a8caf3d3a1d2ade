import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { isObject } from './jwt.ts';

/** For the whole of one fetch, from the look-up of the name to the last byte. */
export const JWKS_TIMEOUT_MS = 5000;
export const MAX_JWKS_BYTES = 256 * 1024;
export const MAX_JWKS_KEYS = 100;

/** @throws TypeError when the address is not `https:`. */
export function parseKeySetUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'https:') throw new TypeError('The keys of a provider are fetched by https only.');
  return url;
}

/**
 * The keys at `url`, which is asked itself and nobody whom it names: redirects are not followed.
 * @throws Error for an answer that is late, too large, not 200 or no JSON Web Key Set of at most 100 keys.
 */
export async function fetchKeySet(url: URL, signal: AbortSignal): Promise<{ keys: object[] }> {
  const request = get(url, { signal, headers: { accept: 'application/json, application/jwk-set+json' } });
  const answer = once(request, 'response') as Promise<[IncomingMessage]>;
  // What breaks after the answer has begun is thrown by the reading of it; nobody else may hear of it.
  request.on('error', () => undefined);
  const [response] = await answer;
  try {
    if (response.statusCode !== 200)
      throw new Error(`The answer was ${response.statusCode ?? 'none'}, not 200.`);
    return parseKeySet(await read(response));
  } finally {
    response.destroy();
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_JWKS_BYTES) throw new Error(`The answer is larger than ${MAX_JWKS_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseKeySet(text: string): { keys: object[] } {
  const set: unknown = JSON.parse(text);
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new Error('The answer is no JSON Web Key Set.');
  if (keys.length > MAX_JWKS_KEYS) throw new Error(`The answer has more than ${MAX_JWKS_KEYS} keys.`);
  return { keys };
}
