import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MASTER_KEY_ENV, readConfig } from '../../src/config.ts';
import { readMasterKeys } from '../../src/secrets/master-key.ts';
import { createFolder } from '../support/folder.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const make = () => new Uint8Array(32).fill(7);
const never = () => {
  throw new Error('No key should have been made.');
};
const MADE = Buffer.from(make()).toString('base64url');
const fileOf = ({ path }: { path: string }) => join(path, 'master.key');
const modeOf = (file: string) => statSync(file).mode & 0o777;

test.each(['000', '022', '077', '777'])(
  'where there is none, one is made that only its owner can read, with a umask of %s too',
  (umask) => {
    using folder = createFolder();
    const before = process.umask(Number.parseInt(umask, 8));
    try {
      expect(readMasterKeys(folder.path, [], make)).toEqual([MADE]);
    } finally {
      process.umask(before);
    }
    expect(readFileSync(fileOf(folder), 'utf8')).toBe(`${MADE}\n`);
    expect(modeOf(fileOf(folder))).toBe(0o600);
  },
);

test('the one that is there stays', () => {
  using folder = createFolder();
  readMasterKeys(folder.path, [], make);
  expect(readMasterKeys(folder.path, [], never)).toEqual([MADE]);
});

test('those that are given come first, and where there are any no file is made', () => {
  using folder = createFolder();
  expect(readMasterKeys(folder.path, [A, B], never)).toEqual([A, B]);
  expect(existsSync(fileOf(folder))).toBe(false);
  readMasterKeys(folder.path, [], make);
  expect(readMasterKeys(folder.path, [A, B], never)).toEqual([A, B, MADE]);
});

test('what is kept in memory leaves nothing behind', () => {
  expect(readMasterKeys(':memory:', [], make)).toEqual([MADE]);
  expect(readMasterKeys(':memory:', [A, B], never)).toEqual([A, B]);
  expect(existsSync(':memory:')).toBe(false);
});

test.each(['640', '604', '620', '610', '601', '644', '666'])(
  'a file that others than its owner may use is refused, with what to do: mode %s',
  (mode) => {
    using folder = createFolder();
    writeFileSync(fileOf(folder), `${A}\n`);
    chmodSync(fileOf(folder), Number.parseInt(mode, 8));
    for (const given of [[], [B]]) {
      expect(() => readMasterKeys(folder.path, given, never)).toThrow(
        `${fileOf(folder)} has the mode ${mode}; others may not read it: chmod 600.`,
      );
    }
    chmodSync(fileOf(folder), 0o400);
    expect(readMasterKeys(folder.path, [], never)).toEqual([A]);
  },
);

test.each(['', '\n', 'a'.repeat(31), ` ${'a'.repeat(31)} \n`])(
  'a file that holds no key, as after a disk was full, is refused rather than believed: %j',
  (text) => {
    using folder = createFolder();
    writeFileSync(fileOf(folder), text, { mode: 0o600 });
    for (const given of [[], [B]])
      expect(() => readMasterKeys(folder.path, given, never)).toThrow('holds no master key');
    expect(readFileSync(fileOf(folder), 'utf8')).toBe(text);
  },
);

test('the environment gives one or several, all of them long enough, and none of them to what may be logged', () => {
  const read = (text: string) => readConfig({ [MASTER_KEY_ENV]: text });
  expect(read(A).secrets.masterKeys).toEqual([A]);
  const { config, secrets } = read(` ${A} , ${B},`);
  expect(secrets.masterKeys).toEqual([A, B]);
  expect(JSON.stringify(config)).not.toContain(A);
  expect(read('').secrets).not.toHaveProperty('masterKeys');
  for (const text of ['short', 'a'.repeat(31), `${A},short`]) {
    expect(() => read(text)).toThrow(`${MASTER_KEY_ENV} must have at least 32 characters`);
    expect(() => read(text)).not.toThrow(text);
  }
});
