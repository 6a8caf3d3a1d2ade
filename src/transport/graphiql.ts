import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file as it is served. */
export interface Asset {
  body: Buffer;
  contentType: string;
  headers: Record<string, string>;
}

const PAGE = '/graphql';
const ASSETS = '/graphql/assets/';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const IMAGE = 'image/svg+xml';

/** Styles may be inline because GraphiQL's editor and dialogs write their own; scripts may not. `self` covers our WebSocket. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};
const PAGE_HEADERS = {
  ...COMMON_HEADERS,
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cache-control': 'no-store',
};
const ASSET_HEADERS = { ...COMMON_HEADERS, 'cache-control': 'public, max-age=3600' };

interface Source {
  file: string;
  contentType: string;
  headers: Record<string, string>;
}

/**
 * GraphiQL from our own files: answers the path of a request with the page or one of its assets, undefined for any
 * other path. A file is read when it is first asked for and kept.
 */
export function createGraphiql(): (pathname: string) => Asset | undefined {
  const sources = listSources();
  const assets = new Map<string, Asset>();
  return (pathname) => {
    const source = sources.get(pathname);
    if (!source) return undefined;
    let asset = assets.get(pathname);
    if (!asset) {
      const { file, contentType, headers } = source;
      asset = { body: readFileSync(file), contentType, headers };
      assets.set(pathname, asset);
    }
    return asset;
  };
}

/** Everything that is served, by the path of its URL: no file name ever comes from a request. */
function listSources(): ReadonlyMap<string, Source> {
  const asset = (name: string, file: string, contentType: string): [string, Source] => [
    ASSETS + name,
    { file, contentType, headers: ASSET_HEADERS },
  ];
  return new Map([
    [PAGE, { file: ownFile('page.html'), contentType: HTML, headers: PAGE_HEADERS }],
    asset('page.js', ownFile('page.js'), SCRIPT),
    asset('fetcher.js', ownFile('fetcher.js'), SCRIPT),
    asset('tabs.js', ownFile('tabs.js'), SCRIPT),
    asset('page.css', ownFile('page.css'), STYLE),
    asset('icon.svg', ownFile('icon.svg'), IMAGE),
    asset('graphiql.js', packageFile('graphiql', 'graphiql.min.js'), SCRIPT),
    asset('graphiql.css', packageFile('graphiql', 'graphiql.min.css'), STYLE),
    asset('react.js', packageFile('react', 'umd/react.production.min.js'), SCRIPT),
    asset('react-dom.js', packageFile('react-dom', 'umd/react-dom.production.min.js'), SCRIPT),
    asset('graphql-ws.js', packageFile('graphql-ws', 'umd/graphql-ws.min.js'), SCRIPT),
  ]);
}

/** The compiler copies no such files to dist/, so they are read from src/, two levels below the root like dist/transport. */
function ownFile(name: string): string {
  return fileURLToPath(new URL(`../../src/transport/graphiql/${name}`, import.meta.url));
}

/** The browser builds are not among the packages' `exports`; their package.json is. */
function packageFile(name: string, path: string): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}
