import { parseUrl } from './names.ts';

/**
 * One origin of a list of the operator, in the spelling that browsers send: lower case, without a default port and without
 * a trailing slash. `*` and `null` stay as they are.
 * @throws Error whose message says why no page can ever have this origin, for values that cannot be corrected
 */
export function parseOrigin(text: string): string {
  const value = text.replace(/^(['"])(.*)\1$/, '$2').trim();
  if (value === '*' || value === 'null') return value;
  if (value.includes('*')) throw new Error('lists “*” inside an origin; list every origin, or “*” alone');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new Error('needs a scheme, for example https://app.example');
  if (scheme === 'ws' || scheme === 'wss')
    throw new Error(`begins with ${scheme}://; the origin of a page begins with http:// or https://`);
  // A host of a scheme that URL does not know is compared as it is, because browsers do not change it either.
  const isWeb = scheme === 'http' || scheme === 'https';
  const url = parseUrl(value);
  if (!url) throw new Error('is not an origin; write one like https://app.example:8443');
  const { host, pathname, search, hash, username, password, origin } = url;
  if (host === '') throw new Error('has no host');
  if (username !== '' || password !== '') throw new Error('has a user name; an origin has none');
  if ((pathname !== '/' && pathname !== '') || search !== '' || hash !== '')
    throw new Error('has a path; an origin ends with the host or the port');
  return isWeb ? origin : `${scheme}://${host}`;
}
