import { createReadStream, readFileSync, statSync } from 'node:fs';
import { UsageError } from './errors.ts';
import { type RemoteTerminal } from './terminal.ts';

/** The longest line and the longest secret that are read, in bytes: no input can fill the memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const MAX_SECRET_BYTES = 65_536;

/** Yields the lines of an input without empty ones, with their number and the bytes read so far. */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ line: string; number: number; bytes: number }, void> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let number = 0;
  let bytes = 0;
  const take = (end: Uint8Array) => {
    const line = Buffer.concat([...rest, end])
      .toString('utf8')
      .trim();
    rest = [];
    restBytes = 0;
    number += 1;
    return line;
  };
  for await (const chunk of input) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, begin)) {
      const line = take(chunk.subarray(begin, end));
      bytes += end + 1 - begin;
      begin = end + 1;
      if (line !== '') yield { line, number, bytes };
    }
    rest.push(chunk.subarray(begin));
    restBytes += chunk.length - begin;
    bytes += chunk.length - begin;
    if (restBytes > MAX_LINE_BYTES)
      throw new UsageError(
        `Line ${number + 1} is longer than ${MAX_LINE_BYTES} bytes. Put one JSON value on each line.`,
      );
  }
  const line = take(new Uint8Array());
  if (line !== '') yield { line, number, bytes };
}

/** Opens a file for `readLines`, with its size in bytes. */
export function openFile(file: string): { input: AsyncIterable<Uint8Array>; bytes: number } {
  const { size } = statFile(file);
  return { input: createReadStream(file) as AsyncIterable<Buffer>, bytes: size };
}

/** Reads a secret from a file, or from standard input for `-`: without the line break at its end. */
export async function readSecret({ readInput }: RemoteTerminal, file: string, what: string): Promise<string> {
  if (/^(ey|key_)/.test(file))
    throw new UsageError(
      `Name a file with the ${what}, or “-” for standard input. Other users of this machine can read the arguments of a process.`,
    );
  let text = '';
  if (file === '-') {
    for await (const chunk of readInput()) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.length > MAX_SECRET_BYTES) break;
    }
  } else {
    if (statFile(file).size <= MAX_SECRET_BYTES) text = readFileSync(file, 'utf8');
    else throw new UsageError(`${file} is larger than ${MAX_SECRET_BYTES} bytes.`);
  }
  const secret = text.trim();
  if (secret === '' || text.length > MAX_SECRET_BYTES)
    throw new UsageError(`The ${what} is empty or longer than ${MAX_SECRET_BYTES} bytes.`);
  return secret;
}

/**
 * Reads a credential. The file may hold it alone, or everything that “token create” and “token renew” print, also with `--json`.
 */
export async function readCredential(terminal: RemoteTerminal, file: string): Promise<string> {
  const text = await readSecret(terminal, file, 'credential');
  return /(?:^CREDENTIAL +|"credential":")([\w.-]+)/m.exec(text)?.[1] ?? text;
}

function statFile(file: string): { size: number } {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) throw new UsageError(`There is no file ${file}.`);
  return stats;
}
