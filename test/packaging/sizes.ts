import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { ROOT } from './pack.ts';

/** A page that connects with a token, subscribes to a channel and publishes, with one library. */
export interface HelloPage {
  /** The name of the library and, for others, its version. */
  readonly name: string;
  readonly code: string;
  /** Modules that are not counted. */
  readonly external?: readonly string[];
}

const CLIENT = `import { createClient } from '@signalbox/client';
  const client = createClient({ url: 'https://realtime.example', credential: () => fetch('/t').then((r) => r.text()) });`;

/** Pages with the packages of this repository. The marks are the sizes that they must not exceed, in bytes. */
export const OWN_PAGES = {
  client: {
    name: '@signalbox/client',
    mark: 12 * 1024,
    code: `${CLIENT} const lobby = client.channel('lobby');
      lobby.on('message', console.log); void lobby.publish('message', { text: 'hello' });`,
  },
  tabs: {
    name: '@signalbox/client with /tabs',
    mark: 14.5 * 1024,
    code: `import { createClient } from '@signalbox/client'; import { shareBetweenTabs } from '@signalbox/client/tabs';
      const client = createClient({ url: 'https://realtime.example', credential: () => fetch('/t').then((r) => r.text()),
        webSocket: shareBetweenTabs() }); const lobby = client.channel('lobby');
      lobby.on('message', console.log); void lobby.publish('message', { text: 'hello' });`,
  },
  react: {
    name: '@signalbox/client and @signalbox/react',
    mark: 16 * 1024,
    external: ['react', 'react-dom'],
    code: `${CLIENT} import { createElement } from 'react'; import { createRoot } from 'react-dom/client';
      import { SignalboxProvider, useChannel } from '@signalbox/react';
      const Lobby = () => { const { messages, publish } = useChannel('lobby');
        return createElement('button', { onClick: () => void publish('message', { text: 'hello' }) }, messages.length); };
      createRoot(document.body).render(createElement(SignalboxProvider, { client }, createElement(Lobby)));`,
  },
  server: {
    name: '@signalbox/server, with jose',
    mark: undefined,
    code: `import { Signalbox } from '@signalbox/server';
      void new Signalbox('key', { url: 'https://realtime.example' }).publishMessage('lobby', 'message', { text: 'hello' });`,
  },
} as const;

/** The client libraries that Signalbox is compared with, and a page with each. */
export const OTHER_PAGES: readonly HelloPage[] = [
  {
    name: 'socket.io-client@4.8.4',
    code: `import { io } from 'socket.io-client'; const socket = io('https://x', { auth: { token: 't' } });
      socket.on('message', console.log); socket.emit('message', { text: 'hello' });`,
  },
  {
    name: 'pusher-js@8.6.0',
    code: `import Pusher from 'pusher-js'; const lobby = new Pusher('k', { cluster: 'eu' }).subscribe('private-lobby');
      lobby.bind('client-message', console.log); lobby.trigger('client-message', { text: 'hello' });`,
  },
  {
    name: 'centrifuge@5.8.0',
    code: `import { Centrifuge } from 'centrifuge'; const client = new Centrifuge('wss://x', { getToken: async () => 't' });
      const lobby = client.newSubscription('lobby'); lobby.on('publication', console.log); lobby.subscribe(); client.connect();
      void lobby.publish({ text: 'hello' });`,
  },
  {
    name: 'ably@2.28.0',
    code: `import { Realtime } from 'ably'; const lobby = new Realtime({ authUrl: '/t' }).channels.get('lobby');
      void lobby.subscribe('message', console.log); void lobby.publish('message', { text: 'hello' });`,
  },
  {
    name: '@ably/chat@1.4.0',
    code: `import { Realtime } from 'ably'; import { ChatClient } from '@ably/chat';
      const lobby = await new ChatClient(new Realtime({ authUrl: '/t' })).rooms.get('lobby');
      lobby.messages.subscribe(console.log); await lobby.attach(); await lobby.messages.send({ text: 'hello' });`,
  },
  {
    name: 'twilio-sync@4.0.1',
    code: `import { Client } from 'twilio-sync'; const lobby = await new Client('t').stream('lobby');
      lobby.on('messagePublished', console.log); await lobby.publishMessage({ text: 'hello' });`,
  },
  {
    name: 'stream-chat@9.53.0',
    code: `import { StreamChat } from 'stream-chat'; const client = StreamChat.getInstance('k');
      await client.connectUser({ id: 'ada' }, async () => 't'); const lobby = client.channel('messaging', 'lobby');
      await lobby.watch(); lobby.on('message.new', console.log); await lobby.sendMessage({ text: 'hello' });`,
  },
];

/** The size of a page with everything that it imports: bundled for browsers, minified, then gzipped; in bytes. */
export async function measure({ code, external = [] }: HelloPage, folder = ROOT): Promise<number> {
  const own = ['client', 'react', 'server'].map((name) => [
    `@signalbox/${name}`,
    `${ROOT}/packages/${name}/src/index.ts`,
  ]);
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder, loader: 'ts' },
    alias: {
      '@signalbox/client/tabs': `${ROOT}/packages/client/src/tabs/share-between-tabs.ts`,
      ...(Object.fromEntries(own) as Record<string, string>),
    },
    external: [...external],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

/** The row of a library in the table of the README. */
export const rowOf = (name: string, bytes: number) => `| ${name} | ${(bytes / 1024).toFixed(1)} KB |`;

/** The size in the table of the README, in bytes. */
export function sizeIn(table: string, name: string): number {
  const [, size] =
    table
      .split('\n')
      .find((line) => line.startsWith(`| ${name} `))
      ?.match(/([\d.]+) KB/) ?? [];
  if (size === undefined) throw new Error(`The table has no row for ${name}: run npm run sizes.`);
  return Number(size) * 1024;
}
