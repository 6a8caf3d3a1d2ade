import { useSyncExternalStore } from 'react';

/** Where the console is: the part of the address after `#`, which browsers never send to a server. */
export interface Route {
  /** The decoded parts of the path: `#/tokens/token_1` is `['tokens', 'token_1']`. */
  readonly path: readonly string[];
  readonly params: URLSearchParams;
}

/** The address of a page: `hrefTo(['tokens', id], { tab: 'state' })`. Parts may hold any text. */
export function hrefTo(path: readonly string[], params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`;
}

/** Opens a page. */
export function navigate(path: readonly string[], params?: Readonly<Record<string, string>>): void {
  location.hash = hrefTo(path, params);
}

/** Changes one parameter of the address without a new entry in the history of the browser. */
export function replaceParam(name: string, value: string): void {
  const { path, params } = parseHash(location.hash);
  params.delete(name);
  if (value !== '') params.set(name, value);
  history.replaceState(null, '', hrefTo(path, Object.fromEntries(params)));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The current route; renders again when it changes. */
export function useRoute(): Route {
  return parseHash(useSyncExternalStore(subscribe, () => location.hash));
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decode), params: new URLSearchParams(query) };
}

/** An address that was edited by hand may hold malformed escapes. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
