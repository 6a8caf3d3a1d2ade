import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type TestContext } from 'vitest';
import { CHROMIUM, requireChromium } from './chromium.ts';
import { createFolder } from './folder.ts';

/** A tab of a browser that nothing emulates: in the background it is hidden and its timers are throttled. */
export interface ChromiumTab {
  /** Evaluates an expression; a promise is awaited. */
  run<T = any>(expression: string): Promise<T>;
  /** Sends a command of the DevTools protocol. */
  send(method: string, params?: object): Promise<any>;
  /** Makes it the visible tab of its window. */
  activate(): Promise<void>;
}

/** A browser without Playwright, which keeps every page of its own visible and focused. */
export interface ChromiumTabs extends AsyncDisposable {
  open(url: string): Promise<ChromiumTab>;
}

/** Launches a browser with one window. Skips or fails the test as `launchChromium` does. */
export async function launchChromiumTabs(scope: TestContext): Promise<ChromiumTabs> {
  requireChromium(scope);
  const folder = createFolder();
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
  const child = spawn(CHROMIUM, [...flags, `--user-data-dir=${folder.path}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const host = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk);
      const [, found] = /DevTools listening on ws:\/\/([^/]+)/.exec(text) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`Chromium exited: ${text}`)));
  });

  return {
    async open(url) {
      const response = await fetch(`http://${host}/json/new?${encodeURIComponent(url)}`, { method: 'PUT' });
      const { id, webSocketDebuggerUrl } = (await response.json()) as Record<string, string>;
      const send = await connectTo(webSocketDebuggerUrl!);
      return {
        send,
        async run<T>(expression: string) {
          const options = { expression, awaitPromise: true, returnByValue: true };
          const { result, exceptionDetails } = await send('Runtime.evaluate', options);
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
          return result.value as T;
        },
        activate: async () => {
          await fetch(`http://${host}/json/activate/${id!}`);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'close');
      folder[Symbol.dispose]();
    },
  };
}

async function connectTo(url: string): Promise<ChromiumTab['send']> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (message: any) => void>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString());
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  let last = 0;
  return (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      socket.send(JSON.stringify({ id, method, params }));
    });
}
