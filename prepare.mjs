// npm runs this after an installation. Where development dependencies are left out (npm ci --omit=dev) there is no
// compiler: then dist/ must come from elsewhere, and the installation must not fail.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execPath, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');
if (existsSync(compiler)) {
  const { status } = spawnSync(execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
  });
  exit(status ?? 1);
}
stdout.write(
  existsSync(join(root, 'dist/main.js'))
    ? 'The compiler is not installed: dist/ is used as it is.\n'
    : 'The compiler is not installed: run “npm ci” elsewhere, which builds dist/, and copy dist/ here.\n',
);
