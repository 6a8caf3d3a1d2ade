import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { build } from 'vite';
import { expect, test, vi } from 'vitest';
import { namedBlock } from '../support/code-blocks.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService } from '../support/service.ts';
import { createProject, pack, PACKAGES, ROOT } from './pack.ts';

const run = promisify(execFile);

// Each test packs, and most install and compile.
vi.setConfig({ testTimeout: 120_000 });

/** Compiles files of a project with the strictest reading of the declarations, as a bundler and as Node resolve them. */
function compile(path: string, ...files: string[]): void {
  for (const [module, resolution] of [
    ['ESNext', 'Bundler'],
    ['NodeNext', 'NodeNext'],
  ] as const) {
    const options = [
      '--strict',
      '--noEmit',
      '--allowImportingTsExtensions',
      '--skipLibCheck',
      'false',
      '--target',
      'ES2023',
      '--lib',
      'ES2023,DOM',
      '--jsx',
      'react-jsx',
    ];
    execFileSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        ...options,
        '--module',
        module,
        '--moduleResolution',
        resolution,
        ...files,
      ],
      { cwd: path, encoding: 'utf8' },
    );
  }
}

/** Builds `page.js` of a project for browsers, and returns the code. */
async function bundle(path: string): Promise<string> {
  const result = await build({
    root: path,
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: join(path, 'page.js'), formats: ['es'] } },
  });
  const output = [result].flat()[0];
  if (!output || !('output' in output)) throw new Error('vite returned no output.');
  return output.output[0].code;
}

test.each(PACKAGES)('publint and are-the-types-wrong find nothing in @signalbox/%s', async (name) => {
  const { messages, pkg } = await publint({
    pkgDir: join(ROOT, 'packages', name),
    pack: 'npm',
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);

  using folder = createFolder();
  const tarball = createPackageFromTarballData(readFileSync(pack(name, folder.path)));
  const result = await checkPackage(tarball);
  // The packages are ES modules. Node 20.19 can require() them; resolution without `exports` is of 2020.
  if (!('problems' in result)) throw new Error('The tarball has no types.');
  const problems = result.problems.filter(
    (problem) =>
      problem.kind !== 'CJSResolvesToESM' &&
      !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
  );
  expect(problems).toEqual([]);
});

test('the service can be installed into another project without packages that need a newer Node', () => {
  const { dependencies, bundleDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as {
    dependencies: Record<string, string>;
    bundleDependencies: string[];
  };
  using folder = createFolder();
  // Without the overrides, which npm takes from the project at the top only.
  const own = Object.entries(dependencies).filter(([name]) => !bundleDependencies.includes(name));
  writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ dependencies: Object.fromEntries(own) }));
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--package-lock-only', '--prefer-offline', '--no-audit', '--no-fund'],
    { cwd: folder.path, encoding: 'utf8' },
  );
  expect(status).toBe(0);
  expect(stderr).not.toContain('EBADENGINE');
});

test('@signalbox/server in an empty project: Node publishes with it, and only jose comes along', async () => {
  await using service = await startService();
  using project = createProject(['server']);
  expect(project.installed()).toEqual(['@signalbox', 'jose']);
  project.write(
    'use.ts',
    `import { Signalbox, SignalboxError, type Token } from '@signalbox/server';
    export const open = (key: string) => new Signalbox(key, { url: 'https://realtime.example' });
    export const first = async (key: string): Promise<Token> => open(key).tokens.get('token_1');
    export const codeOf = (error: unknown) => (error instanceof SignalboxError ? error.code : undefined);`,
  );
  compile(project.path, 'use.ts');
  project.write(
    'use.mjs',
    `import { Signalbox } from '@signalbox/server';
    const signalbox = new Signalbox(process.env.KEY, { url: process.env.URL });
    await signalbox.channels.create({ id: 'lobby' });
    const { message } = await signalbox.publishMessage('lobby', 'message', 1);
    console.log(message.event, (await signalbox.sign('ada')).split('.').length);`,
  );
  const env = { PATH: process.env['PATH'], KEY: API_KEY, URL: service.url };
  const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: project.path, env });
  expect(stdout).toBe('message 3\n');
  const { stdout: required } = await run(
    process.execPath,
    ['--input-type=commonjs', '--eval', `console.log(typeof require('@signalbox/server').Signalbox)`],
    { cwd: project.path, env },
  );
  expect(required).toBe('function\n');
  // The backend of the README of the client, which finds the channel that exists.
  const backend = namedBlock('packages/client/README.md', 'backend.mjs')
    .replace("'https://realtime.example'", 'process.env.URL')
    .replace('.listen(3000)', '.listen(0, function () { console.log(this.address().port); })');
  project.write('backend.mjs', backend);
  const started = spawn(process.execPath, ['backend.mjs'], {
    cwd: project.path,
    env: { ...env, SIGNALBOX_API_KEY: API_KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(started.stdout.setEncoding('utf8'), 'data')) as [string];
    const response = await fetch(`http://127.0.0.1:${port.trim()}/credential`, { method: 'POST' });
    expect((await response.text()).split('.')).toHaveLength(3);
  } finally {
    started.kill();
  }
});

test('@signalbox/client and @signalbox/react in an empty project: types, a Vite build, and a server that renders', async () => {
  using project = createProject(['client', 'react'], ['react@18.3.1', 'react-dom@18.3.1']);
  const ofService = ['better-sqlite3', 'drizzle-orm', 'graphql-yoga', 'jose', 'pino', 'ws'];
  expect(project.installed().filter((name) => ofService.includes(name))).toEqual([]);
  project.write(
    'use.ts',
    `import { createClient } from '@signalbox/client';
    import { shareBetweenTabs } from '@signalbox/client/tabs';
    const options = { url: 'https://realtime.example', credential: 'anonymous', webSocket: shareBetweenTabs() };
    export const client = createClient<{ message: { text: string } }>(options);`,
  );
  // The declarations of React that are installed here.
  const types = join(project.path, 'node_modules/@types');
  mkdirSync(types, { recursive: true });
  for (const name of ['@types/react', '@types/react-dom', 'csstype', '@types/prop-types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(project.path, 'node_modules', name));
  for (const [readme, name] of [
    ['packages/client/README.md', 'page.ts'],
    ['packages/client/README.md', 'tabs.ts'],
    ['packages/react/README.md', 'lobby.tsx'],
    ['docs/guides/react.md', 'signalbox.ts'],
    ['docs/guides/react.md', 'Chat.tsx'],
    ['docs/guides/react.md', 'main.tsx'],
  ] as const)
    project.write(name, namedBlock(readme, name));
  compile(project.path, 'use.ts', 'page.ts', 'tabs.ts', 'lobby.tsx', 'main.tsx');
  project.write(
    'page.js',
    `import { createClient } from '@signalbox/client';
    import { shareBetweenTabs } from '@signalbox/client/tabs';
    import { SignalboxProvider } from '@signalbox/react';
    console.log(createClient, shareBetweenTabs, SignalboxProvider);`,
  );
  // A built-in module of Node would be left as an import, or replaced by an empty one with this name.
  const code = await bundle(project.path);
  expect(code).not.toMatch(/from ?["']node:|__vite-browser-external/);
  // As on a server that renders: without any global of a browser.
  project.write(
    'render.mjs',
    `import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    import { createClient } from '@signalbox/client';
    import { shareBetweenTabs } from '@signalbox/client/tabs';
    import { SignalboxProvider, useChannel } from '@signalbox/react';
    const webSocket = shareBetweenTabs();
    const client = createClient({ url: 'https://realtime.example', credential: 'anonymous', webSocket });
    const Lobby = () => createElement('p', null, useChannel('lobby').messages.length);
    console.log(renderToString(createElement(SignalboxProvider, { client }, createElement(Lobby))));
    process.exit();`,
  );
  const { stdout } = await run(process.execPath, ['render.mjs'], { cwd: project.path });
  expect(stdout).toBe('<p>0</p>\n');
});

test('the tarball of the service holds all that it runs with, beside the packages of the registry', async () => {
  using folder = createFolder();
  const modules = join(folder.path, 'node_modules');
  mkdirSync(join(modules, 'signalbox'), { recursive: true });
  const args = ['-xzf', pack('..', folder.path), '-C', join(modules, 'signalbox'), '--strip-components', '1'];
  execFileSync('tar', args);
  // As an installation would, without compiling better-sqlite3 again. The workspaces are in the tarball.
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (!name.startsWith('.') && !name.startsWith('@signalbox'))
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  const main = join(modules, 'signalbox/dist/main.js');
  const env = { PATH: process.env['PATH'], PORT: '0', SIGNALBOX_DATA: join(folder.path, 'data') };
  const { stdout } = await run(process.execPath, [main, '--help'], { cwd: folder.path, env });
  expect(stdout).toContain('publish');
  const embedding = `import { defaultConfig, startService } from 'signalbox';
    const service = await startService(defaultConfig({ port: 0, data: ':memory:' }));
    console.log((await fetch(service.url + '/ready')).status);
    await service[Symbol.asyncDispose]();`;
  const embedded = await run(process.execPath, ['--input-type=module', '--eval', embedding], {
    cwd: folder.path,
    env,
  });
  expect(embedded.stdout).toBe('200\n');
  const service = spawn(process.execPath, [main], {
    cwd: folder.path,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    let printed = '';
    for await (const text of service.stderr.setEncoding('utf8')) {
      printed += String(text);
      if (printed.includes('Next:')) break;
    }
    const [, url = ''] = /listens on (http\S+)\/graphql/.exec(printed) ?? [];
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  } finally {
    service.kill();
  }
});
