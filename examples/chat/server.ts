/**
 * `npm run example`: starts Signalbox with an empty store, a backend that signs users in, and the page.
 * The backend is what a team writes: it holds the API key and answers `POST /credential`.
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Signalbox } from '@signalbox/server';
import react from '@vitejs/plugin-react';
import { createServer as createVite } from 'vite';

const PAGE_PORT = Number(process.env['PAGE_PORT'] ?? 3000);
const SERVICE_PORT = Number(process.env['PORT'] ?? 4000);
const KEY = `key_example.${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;
const page = `http://127.0.0.1:${PAGE_PORT}`;
const url = `http://127.0.0.1:${SERVICE_PORT}`;
const repository = fileURLToPath(new URL('../..', import.meta.url));
/** The folder of the page. A test edits a copy of it. */
const root = process.env['PAGE_ROOT'] ?? fileURLToPath(new URL('.', import.meta.url));

const service = spawn(process.execPath, [fileURLToPath(new URL('../../dist/main.js', import.meta.url))], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    PATH: process.env['PATH'],
    PORT: String(SERVICE_PORT),
    SIGNALBOX_DATA: ':memory:',
    SIGNALBOX_API_KEY: KEY,
    SIGNALBOX_ORIGINS: page,
  },
});
service.on('exit', (code) => process.exit(code ?? 0));
process.on('exit', () => service.kill());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

const signalbox = new Signalbox(KEY, { url });
const tokens = new Map<string, string>();

/** A credential of the token of a user. The token stays the same, so that its memberships do. */
async function createCredential(identity: string): Promise<string> {
  const known = tokens.get(identity);
  const { token, credential } = await (known === undefined
    ? signalbox.tokens.create({ identity, channels: ['lobby'], expiresIn: 3600 })
    : signalbox.tokens.createCredential({ token: known, expiresIn: 3600 }));
  if (token) tokens.set(identity, token.id);
  return credential;
}

async function login(request: IncomingMessage): Promise<string | undefined> {
  const name = await text(request);
  return /^[\w-]{1,64}$/.test(name) ? createCredential(name) : undefined;
}

while (!(await fetch(`${url}/ready`).catch(() => undefined))?.ok)
  await new Promise((resolve) => setTimeout(resolve, 100));
await signalbox.channels.create({ id: 'lobby', type: 'PUBLIC' });

const server = createServer();
const vite = await createVite({
  root,
  // The development server tells the page of changes over a WebSocket of the same port.
  server: { middlewareMode: true, hmr: { server }, fs: { allow: [root, repository] } },
  plugins: [react(), { name: 'address', transformIndexHtml: (html) => html.replace('%SIGNALBOX_URL%', url) }],
  resolve: {
    alias: ['client', 'react'].map((name) => ({
      find: `@signalbox/${name}`,
      replacement: fileURLToPath(new URL(`../../packages/${name}/src/index.ts`, import.meta.url)),
    })),
  },
});

server.on('request', (request, response) => {
  if (request.method !== 'POST' || request.url !== '/credential') return vite.middlewares(request, response);
  login(request).then(
    (credential) => response.writeHead(credential === undefined ? 401 : 200).end(credential),
    () => response.writeHead(503).end(),
  );
});
server.listen(PAGE_PORT, '127.0.0.1', () => console.log(`Open ${page} in two windows.`));
