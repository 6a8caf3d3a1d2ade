import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MASTER_KEY_ENV, readConfig } from '../../src/config.ts';
import { readMasterKeys } from '../../src/secrets/master-key.ts';
import { createFolder } from '../support/folder.ts';
import { mountSmallDisk, requireSmallDisk } from '../support/small-disk.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const generate = () => new Uint8Array(32).fill(7);
const neverGenerate = () => {
  throw new Error('No key should have been generated.');
};
const GENERATED = Buffer.from(generate()).toString('base64url');
const fileOf = ({ path }: { path: string }) => join(path, 'master.key');
const modeOf = (file: string) => statSync(file).mode & 0o777;

test.each(['000', '022', '077', '777'])(
  'generates a key file with mode 600 in an empty data folder, with a umask of %s',
  (umask) => {
    using folder = createFolder();
    const before = process.umask(Number.parseInt(umask, 8));
    try {
      expect(readMasterKeys(folder.path, [], generate)).toEqual([GENERATED]);
    } finally {
      process.umask(before);
    }
    expect(readFileSync(fileOf(folder), 'utf8')).toBe(`${GENERATED}\n`);
    expect(modeOf(fileOf(folder))).toBe(0o600);
  },
);

test('reads the stored key when the key file exists', () => {
  using folder = createFolder();
  readMasterKeys(folder.path, [], generate);
  expect(readMasterKeys(folder.path, [], neverGenerate)).toEqual([GENERATED]);
});

test('a full disk gets no part of a key, and the next start with space generates one', (context) => {
  requireSmallDisk(context);
  using disk = mountSmallDisk(1);
  disk.fill();
  expect(() => readMasterKeys(disk.path, [], generate)).toThrow(
    /The master key cannot be written: .*no space left/,
  );
  expect(readdirSync(disk.path)).toEqual(['filler']);
  disk.free();
  expect(readMasterKeys(disk.path, [], generate)).toEqual([GENERATED]);
  expect(readdirSync(disk.path)).toEqual(['master.key']);
});

test('puts configured keys before the stored key, and generates no key file when keys are configured', () => {
  using folder = createFolder();
  expect(readMasterKeys(folder.path, [A, B], neverGenerate)).toEqual([A, B]);
  expect(existsSync(fileOf(folder))).toBe(false);
  readMasterKeys(folder.path, [], generate);
  expect(readMasterKeys(folder.path, [A, B], neverGenerate)).toEqual([A, B, GENERATED]);
});

test('writes no file when the data folder is :memory:', () => {
  expect(readMasterKeys(':memory:', [], generate)).toEqual([GENERATED]);
  expect(readMasterKeys(':memory:', [A, B], neverGenerate)).toEqual([A, B]);
  expect(existsSync(':memory:')).toBe(false);
});

test.each(['640', '604', '620', '610', '601', '644', '666'])(
  'refuses a key file that other users can access, and names the fix: mode %s',
  (mode) => {
    using folder = createFolder();
    writeFileSync(fileOf(folder), `${A}\n`);
    chmodSync(fileOf(folder), Number.parseInt(mode, 8));
    for (const configured of [[], [B]]) {
      expect(() => readMasterKeys(folder.path, configured, neverGenerate)).toThrow(
        `${fileOf(folder)} has mode ${mode}, so other users can access it. Run chmod 600 on the file.`,
      );
    }
    chmodSync(fileOf(folder), 0o400);
    expect(readMasterKeys(folder.path, [], neverGenerate)).toEqual([A]);
  },
);

test.each(['', '\n', 'a'.repeat(31), ` ${'a'.repeat(31)} \n`])(
  'refuses a key file that is empty or too short, as after a full disk: %j',
  (text) => {
    using folder = createFolder();
    writeFileSync(fileOf(folder), text, { mode: 0o600 });
    for (const configured of [[], [B]])
      expect(() => readMasterKeys(folder.path, configured, neverGenerate)).toThrow('holds no master key');
    expect(readFileSync(fileOf(folder), 'utf8')).toBe(text);
  },
);

test('reads one or several keys from the environment, refuses short ones, and keeps all of them out of the config', () => {
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
