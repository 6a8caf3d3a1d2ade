import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SOURCE = join(process.cwd(), 'bench');
const TARGET = join(process.cwd(), 'node_modules/.cache/signalbox-bench');

/**
 * Compiles the files of `bench/` to JavaScript. The servers and the load generator run without a TypeScript loader, since a
 * loader in their processes would be measured as well.
 */
export function compile(): void {
  rmSync(TARGET, { recursive: true, force: true });
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(SOURCE, name), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = join(TARGET, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(TARGET, 'package.json'), '{ "type": "module" }\n');
}

/** The path of the compiled program of a file of `bench/`. */
export function compiled(name: string): string {
  return fileURLToPath(new URL(name.replace(/\.ts$/, '.js'), `file://${TARGET}/`));
}
