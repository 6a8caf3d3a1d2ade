import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { read } from './documents.ts';

/** The address that the documentation uses; tests replace it by the address of a service on a free port. */
export const DOCUMENTED_ADDRESS = '127.0.0.1:4000';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The code block after the comment `<!-- name -->` in a document. */
export function namedBlock(document: string, name: string): string {
  const [, after = ''] = read(document).split(`<!-- ${name} -->\n`);
  const [, block] = /^\n*```\w+\n([\s\S]*?)```/.exec(after) ?? [];
  if (block === undefined) throw new Error(`${document} has no code block named ${name}.`);
  return block;
}

/** The only code block of a document that contains a text. */
export function blockWith(document: string, text: string): string {
  const blocks = [...read(document).matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const [found, ...others] = blocks.filter((block) => block.includes(text));
  if (found === undefined || others.length > 0)
    throw new Error(`${document} has ${others.length + (found ? 1 : 0)} code blocks with “${text}”.`);
  return found;
}

export interface RunningScript extends AsyncDisposable {
  /** The next line on standard output, parsed as JSON. Fails when the script ends first. */
  next(): Promise<any>;
}

/** A folder for scripts of the documentation, inside `node_modules` so that they find the packages of this project. */
export function createScripts() {
  const path = mkdtempSync(join(ROOT, 'node_modules', '.documented-'));
  const running = new Set<ChildProcess>();

  return {
    path,
    /** Writes a file into the folder. */
    write: (name: string, text: string) => writeFileSync(join(path, name), text),
    /** Runs a script of the folder, without any environment variable but `PATH` and those given. */
    start(name: string, args: readonly string[] = [], env: Record<string, string> = {}): RunningScript {
      const child = spawn(process.execPath, [name, ...args], {
        cwd: path,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      running.add(child);
      const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return {
        async next() {
          const { value, done } = await lines.next();
          if (done) throw new Error(`${name} ended.`);
          return JSON.parse(value);
        },
        async [Symbol.asyncDispose]() {
          running.delete(child);
          child.kill();
          await closed;
        },
      };
    },
    [Symbol.dispose]() {
      for (const child of running) child.kill();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Runs lines of a document in a shell; yields each line of output, parsed as JSON. */
export async function runInShell(script: string): Promise<any[]> {
  const shell = spawn('bash', ['-eu', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answers: any[] = [];
  for await (const line of createInterface({ input: shell.stdout })) if (line) answers.push(JSON.parse(line));
  return answers;
}
