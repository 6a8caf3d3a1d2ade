import { SignalboxError } from './errors.ts';

/** The addresses of a service, for WebSocket and for HTTP. @throws BAD_USER_INPUT unless `url` is absolute */
export function endpointOf(url: string): { readonly wsUrl: string; readonly httpUrl: string } {
  const [, scheme = '', secure = '', host = '', path = ''] =
    /^(http|ws)(s?):\/\/([^/?#]+)([^?#]*)$/i.exec(url) ?? [];
  if (!scheme)
    throw new SignalboxError(
      'BAD_USER_INPUT',
      'url must be an absolute http, https, ws or wss URL without a query.',
    );
  const rest = `${secure.toLowerCase()}://${host}${path === '' || path === '/' ? '/graphql' : path}`;
  return { wsUrl: `ws${rest}`, httpUrl: `http${rest}` };
}
