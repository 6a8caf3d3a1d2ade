import { parseUrl } from './names.ts';

/**
 * The name in a Host header, or in a list of the operator: in the spelling of the URL standard (lower case,
 * internationalized names in Punycode), without the port and without the dot of the root.
 * @returns undefined if the text is not a host name or an IP address
 */
export function hostNameOf(host: string): string | undefined {
  const url = /[\s/?#@\\*]/.test(host) ? undefined : parseUrl(`http://${host}`);
  return url?.hostname.replace(/\.$/, '') || undefined;
}

/**
 * One name of the list. `*` stays as it is.
 * @returns undefined if the text is not a host name or an IP address
 */
export function parseHost(text: string): string | undefined {
  const value = text.replace(/^(['"])(.*)\1$/, '$2').trim();
  return value === '*' ? value : hostNameOf(value);
}
