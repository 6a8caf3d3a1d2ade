import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMON_HEADERS, HTML, IMAGE, SCRIPT, STYLE, type Asset } from './asset.ts';

/** The pages: the console takes the rest of its address from the fragment, which browsers never send. */
const PAGES: ReadonlySet<string> = new Set(['/console', '/console/']);
const ASSETS = '/console/assets/';
/** The console’s build writes it where the nonce of a page belongs. */
const NONCE = '%NONCE%';
const CONTENT_TYPES: Readonly<Record<string, string>> = { '.js': SCRIPT, '.css': STYLE, '.svg': IMAGE };

/** The names of the files contain a hash of their content, so a browser may keep them for good. */
const ASSET_HEADERS = { ...COMMON_HEADERS, 'cache-control': 'public, max-age=31536000, immutable' };

/**
 * Scripts come from files only. The components write style elements, which the nonce allows; markup that a page would render
 * by mistake has no nonce. `self` includes the WebSocket.
 */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Serves the console from the files that `npm run build` wrote. The returned function maps the path of a request to the page
 * or one of its assets, and any other path to undefined. Each file is read on its first request and cached.
 */
export function createConsole(): (pathname: string) => Asset | undefined {
  const template = existsSync(builtFile('index.html'))
    ? readFileSync(builtFile('index.html'), 'utf8')
    : undefined;
  const sources = listAssets();
  const assets = new Map<string, Asset>();
  return (pathname) => {
    if (PAGES.has(pathname)) return template === undefined ? MISSING : createPage(template);
    const contentType = sources.get(pathname);
    if (contentType === undefined) return undefined;
    let asset = assets.get(pathname);
    if (!asset) {
      const body = readFileSync(builtFile(`assets/${pathname.slice(ASSETS.length)}`));
      asset = { body, contentType, headers: ASSET_HEADERS };
      assets.set(pathname, asset);
    }
    return asset;
  };
}

const MISSING: Asset = {
  body: 'The console is not built. Run “npm run build” and start the service again.\n',
  contentType: 'text/plain; charset=utf-8',
  headers: { ...COMMON_HEADERS, 'cache-control': 'no-store' },
};

/** The page with a nonce of its own, so that it must not be cached. */
function createPage(template: string): Asset {
  const nonce = randomBytes(16).toString('base64url');
  return {
    body: template.replaceAll(NONCE, nonce),
    contentType: HTML,
    headers: {
      ...COMMON_HEADERS,
      'content-security-policy': contentSecurityPolicy(nonce),
      'cache-control': 'no-store',
    },
  };
}

/** The content types by the path of the URL. A fixed list, so that a request can never name a file. */
function listAssets(): ReadonlyMap<string, string> {
  const folder = builtFile('assets');
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder).flatMap((name): [string, string][] => {
      const contentType = CONTENT_TYPES[extname(name)];
      return contentType === undefined ? [] : [[ASSETS + name, contentType]];
    }),
  );
}

/** Both src/transport and dist/transport are two levels below the root. */
function builtFile(name: string): string {
  return fileURLToPath(new URL(`../../dist/console/${name}`, import.meta.url));
}
