import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMON_HEADERS, HTML, IMAGE, SCRIPT, STYLE, type Asset } from './asset.ts';

const PAGE = '/graphql';
const ASSETS = '/graphql/assets/';

/** Inline styles are allowed because GraphiQL's editor and dialogs use them; inline scripts are not. `self` includes the WebSocket. */
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
 * Serves GraphiQL from local files. The returned function maps the path of a request to the page or one of its assets,
 * and any other path to undefined. Each file is read on its first request and cached.
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

/** All files by the path of their URL. A fixed list, so that a request can never name a file. */
function listSources(): ReadonlyMap<string, Source> {
  const asset = (name: string, file: string, contentType: string): [string, Source] => [
    ASSETS + name,
    { file, contentType, headers: ASSET_HEADERS },
  ];
  return new Map([
    [PAGE, { file: localFile('page.html'), contentType: HTML, headers: PAGE_HEADERS }],
    asset('page.js', localFile('page.js'), SCRIPT),
    asset('fetcher.js', localFile('fetcher.js'), SCRIPT),
    asset('tabs.js', localFile('tabs.js'), SCRIPT),
    asset('page.css', localFile('page.css'), STYLE),
    asset('icon.svg', localFile('icon.svg'), IMAGE),
    asset('graphiql.js', packageFile('graphiql', 'graphiql.min.js'), SCRIPT),
    asset('graphiql.css', packageFile('graphiql', 'graphiql.min.css'), STYLE),
    asset('react.js', packageFile('react', 'umd/react.production.min.js'), SCRIPT),
    asset('react-dom.js', packageFile('react-dom', 'umd/react-dom.production.min.js'), SCRIPT),
    asset('graphql-ws.js', packageFile('graphql-ws', 'umd/graphql-ws.min.js'), SCRIPT),
  ]);
}

/** The compiler does not copy these files to dist/. Both src/transport and dist/transport are two levels below the root. */
function localFile(name: string): string {
  return fileURLToPath(new URL(`../../src/transport/graphiql/${name}`, import.meta.url));
}

/** The browser builds are not in the `exports` of their packages, so their path is resolved from package.json. */
function packageFile(name: string, path: string): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}
