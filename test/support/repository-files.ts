import { readFileSync, writeFileSync } from 'node:fs';

/** Reads a file of the repository by its path from the root. */
export const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Writes a file of the repository by its path from the root. */
export const write = (file: string, text: string) =>
  writeFileSync(new URL(`../../${file}`, import.meta.url), text);
