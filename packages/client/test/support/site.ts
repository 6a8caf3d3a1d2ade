import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** A call of the credential function of a page. */
export interface CredentialCall {
  readonly identity: string;
  readonly reason: string;
}

/** Answers a call with a credential, or with the status of a refusal: 401 when the user is signed out. */
export type Login = (call: CredentialCall) => Promise<string | number> | string | number;

/** The backend of the pages of a test: serves the page, and the credentials of its users. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  /** The logins by identity. */
  readonly logins: Map<string, Login>;
  readonly calls: CredentialCall[];
  /** The largest number of calls of one page that were answered at the same time. */
  readonly mostAtOnce: number;
}

/** Bundles `page.ts` with this version of the client, or with one whose tabs speak another language to each other. */
async function bundlePage(isOther: boolean): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}/packages/client/test/support/page.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    tsconfig: `${ROOT}/tsconfig.json`,
    plugins: [
      {
        name: 'another version',
        setup: ({ onLoad }) =>
          onLoad({ filter: /tabs\/group\.ts$/ }, ({ path }) => {
            const source = readFileSync(path, 'utf8');
            const contents = isOther ? source.replace('VERSION = 1;', 'VERSION = 2;') : source;
            if (isOther && contents === source) throw new Error('There is no version to replace.');
            return { contents, loader: 'ts' };
          }),
      },
    ],
  });
  return outputFiles[0]!.text;
}

/** Serves `page.ts`; an address with `other` has another version of the client. */
export async function serveSite(): Promise<Site> {
  const scripts = { page: await bundlePage(false), other: await bundlePage(true) };
  const logins = new Map<string, Login>();
  const calls: CredentialCall[] = [];
  const running = new Map<string, number>();
  let mostAtOnce = 0;

  async function answer(call: CredentialCall): Promise<string | number> {
    const { identity } = call;
    calls.push(call);
    const atOnce = (running.get(identity) ?? 0) + 1;
    running.set(identity, atOnce);
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    try {
      return (await logins.get(identity)?.(call)) ?? 401;
    } finally {
      running.set(identity, atOnce - 1);
    }
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://site');
    if (pathname === '/credential') {
      const call = Object.fromEntries(searchParams) as unknown as CredentialCall;
      void answer(call).then((result) =>
        typeof result === 'string' ? response.end(result) : response.writeHead(result).end(),
      );
      return;
    }
    const script = /^\/(page|other)\.js$/.exec(pathname)?.[1] as keyof typeof scripts | undefined;
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    const name = searchParams.has('other') ? 'other' : 'page';
    response.end(script ? scripts[script] : `<!doctype html><script src="/${name}.js"></script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logins,
    calls,
    get mostAtOnce() {
      return mostAtOnce;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
