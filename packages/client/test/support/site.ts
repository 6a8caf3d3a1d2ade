import { once } from 'node:events';
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

/** Bundles `page.ts` and serves it. */
export async function serveSite(): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}/packages/client/test/support/page.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    tsconfig: `${ROOT}/tsconfig.json`,
  });
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
    const isScript = pathname === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? outputFiles[0]!.text : '<!doctype html><script src="/page.js"></script>');
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
