import { readFileSync, writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { API_KEY_ENV, MASTER_KEY_ENV } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { createSchema } from '../../src/schema/schema.ts';
import { CLOSE_CODES } from '../../src/transport/close-codes.ts';

/** Documents that are printed from the source; a test fails when one of them has drifted. */
export const DOCUMENTS = {
  'schema.graphql': () => `${printSchema(lexicographicSortSchema(createSchema()))}\n`,
  'README.md': () =>
    Object.entries(TABLES).reduce(
      (text, [name, print]) => replaceBetween(text, name, print()),
      read('README.md'),
    ),
} as const;

const TABLES = { settings: printSettings, errors: printErrors, 'close codes': printCloseCodes };

function printSettings(): string {
  const secrets = [
    [
      API_KEY_ENV,
      '',
      'secret',
      'The first API key of project `default`, `key_<id>.<secret>`; made and shown once when absent.',
    ],
    [
      MASTER_KEY_ENV,
      '',
      'secret',
      'What secrets are encrypted with at rest, at least 32 characters. Several, parted by commas: the first seals, all open. Absent: `master.key` in the data folder, made at the first start.',
    ],
  ];
  const rows = Object.values(SETTINGS).map((setting) => {
    const { env, default: byDefault, unit, about } = setting;
    const range =
      'choices' in setting
        ? setting.choices.join(', ')
        : 'min' in setting
          ? `${setting.min}–${setting.max}`
          : '';
    return [
      env,
      byDefault === '' ? '' : `\`${byDefault}\``,
      [unit === 'choice' ? '' : unit, range].filter(Boolean).join(', '),
      about,
    ];
  });
  return table(
    ['variable', 'default', 'unit, range', 'what'],
    [...rows, ...secrets].map(([env, ...rest]) => [`\`${env}\``, ...rest]),
  );
}

function printErrors(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(([code, { retryable, meaning }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  return table(['code', 'retryable', 'meaning'], rows);
}

function printCloseCodes(): string {
  const rows = Object.values(CLOSE_CODES).map(({ code, reconnects, meaning }) => [
    String(code),
    reconnects ? 'comes back' : 'gives up',
    meaning,
  ]);
  return table(
    ['code', 'a graphql-ws client', 'meaning'],
    rows.sort(([a = ''], [b = '']) => Number(a) - Number(b)),
  );
}

function table(head: string[], rows: (string | undefined)[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function replaceBetween(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`README.md has no place for the table of ${name}.`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}

export const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
export const write = (file: string, text: string) =>
  writeFileSync(new URL(`../../${file}`, import.meta.url), text);
