import { SignalboxError } from './errors.ts';

/** The WebSocket address of a service; for HTTP, it begins with `http` instead of `ws`. @throws BAD_USER_INPUT unless `url` is absolute */
export function endpointOf(url: string): string {
  const [, host = '', path = ''] = /^(?:http|ws)(s?:\/\/[^/?#]+)\/?([^?#]*)$/i.exec(url) ?? [];
  if (!host)
    throw new SignalboxError('BAD_USER_INPUT', 'url must be an http(s) or ws(s) URL without a query.');
  return `ws${host}/${path || 'graphql'}`;
}
