// npm runs this after an installation. Where development dependencies are left out (npm ci --omit=dev) there is no
// compiler: then dist/ must come from elsewhere, and the installation must not fail.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, env, execPath, exit, stderr, stdout, versions } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
// “npm start” checks first, because Node ends with a stack trace where its program is missing.
if (argv.includes('--check')) {
  if (existsSync(join(root, 'dist/main.js'))) exit(0);
  stderr.write('dist/ is missing: run “npm ci”, which builds it, or “npm run build”.\n');
  exit(1);
}

// npm only warns about an old version, among many other lines; the bundler then ends in a SyntaxError.
const oldest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
if (isOlder(versions.node, oldest)) {
  stderr.write(
    `Signalbox needs Node ${oldest} or newer; this is Node ${versions.node}. Install a newer version, https://nodejs.org/, and run “npm ci” again.\n`,
  );
  exit(1);
}

const compiler = join(root, 'node_modules/typescript/bin/tsc');
if (existsSync(compiler)) {
  // “npx signalbox” in this folder installs it into the cache of npx. What is built is used as it is: to build everything again would
  // take half a minute, without a word, and npx never recovers when it is interrupted meanwhile.
  if (env['npm_command'] === 'exec' && existsSync(join(root, 'dist/main.js'))) exit(0);
  // The hooks of packages/react and the command line of the service are compiled against the declarations of the packages
  // that they import, so those come first.
  for (const folder of ['packages/client', 'packages/react', 'packages/server', '.']) {
    const project = join(root, folder, 'tsconfig.build.json');
    if (!existsSync(project)) continue;
    const { status } = spawnSync(execPath, [compiler, '-p', project], { stdio: 'inherit' });
    if (status !== 0) exit(status ?? 1);
  }
  const bundler = join(root, 'node_modules/vite/bin/vite.js');
  const site = join(root, 'console');
  if (existsSync(bundler) && existsSync(site)) {
    const { status } = spawnSync(execPath, [bundler, 'build', '--logLevel', 'warn'], {
      cwd: site,
      stdio: 'inherit',
    });
    if (status !== 0) exit(status ?? 1);
  }
  exit(0);
}
// The command line imports the packages, which a clone links to its own folders. An installed archive has no such folders.
const missing = ['dist/main.js', 'packages/client/dist/index.js', 'packages/server/dist/index.js']
  .filter((file) => existsSync(join(root, file, '../..')) && !existsSync(join(root, file)))
  .map((file) => `${dirname(file)}/`);
stdout.write(
  missing.length === 0
    ? 'The compiler is not installed: dist/ is used as it is.\n'
    : `The compiler is not installed: run “npm ci” elsewhere, which builds dist/, and copy ${missing.join(', ')} here.\n`,
);

/** Whether the version `found` is older than `oldest`, which has a major and a minor number. */
function isOlder(found, oldest) {
  const [major, minor] = found.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
