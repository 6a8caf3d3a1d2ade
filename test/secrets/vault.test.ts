import { createHash } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { createJweVault } from '../../src/secrets/jwe-vault.ts';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const secret = Buffer.from('a secret, with é and \0 in it');
const unreadable = 'cannot be read with this master key';
const keyOf = (text: string) => createHash('sha256').update(`signalbox master key\n${text}`).digest();

test('what was sealed for something opens as that, byte for byte', async () => {
  const vault = createJweVault([OLD]);
  for (const plain of [secret, Buffer.alloc(0), Buffer.alloc(1024, 255)]) {
    const opened = await vault.open(await vault.seal(plain, 'key_1'), 'key_1');
    expect(Buffer.from(opened).equals(plain)).toBe(true);
  }
});

test('it is a JWE that shows neither the secret nor the master key, and never the same twice', async () => {
  const vault = createJweVault([OLD]);
  const [one, other] = [await vault.seal(secret, 'key_1'), await vault.seal(secret, 'key_1')];
  expect(one).not.toBe(other);
  const { kid, ...header } = decodeProtectedHeader(one);
  expect(header).toEqual({ alg: 'dir', enc: 'A256GCM', sub: 'key_1' });
  expect(keyOf(OLD).toString('base64url')).not.toContain(kid);
  const shown = one.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  for (const part of shown) expect(part).not.toContain('a secret');
});

test('it opens for nothing else', async () => {
  const vault = createJweVault([OLD]);
  const sealed = await vault.seal(secret, 'key_1');
  for (const of of ['key_2', 'key_', 'KEY_1', ''])
    await expect(vault.open(sealed, of)).rejects.toThrow(unreadable);
  // What it is for cannot be rewritten: the header is under the seal.
  const [header = '', ...rest] = sealed.split('.');
  const renamed = Buffer.from(header, 'base64url').toString().replace('key_1', 'key_2');
  const forged = [Buffer.from(renamed).toString('base64url'), ...rest].join('.');
  await expect(vault.open(forged, 'key_2')).rejects.toThrow(unreadable);
});

test('the first master key seals, all of them open', async () => {
  const [before, between, after] = [createJweVault([OLD]), createJweVault([NEW, OLD]), createJweVault([NEW])];
  const [old, young] = [await before.seal(secret, 'key_1'), await between.seal(secret, 'key_1')];
  for (const sealed of [old, young])
    expect(Buffer.from(await between.open(sealed, 'key_1')).equals(secret)).toBe(true);
  expect(Buffer.from(await after.open(young, 'key_1')).equals(secret)).toBe(true);
  await expect(after.open(old, 'key_1')).rejects.toThrow(unreadable);
  await expect(before.open(young, 'key_1')).rejects.toThrow(unreadable);
});

test.each([
  ['nothing', () => ''],
  ['what is no JWE', () => 'plain text'],
  ['one that was cut short', (sealed: string) => sealed.slice(0, -2)],
  [
    'one with a bit turned',
    (sealed: string) =>
      sealed.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`),
  ],
])('%s is refused, not opened', async (_, spoil) => {
  const vault = createJweVault([OLD]);
  const sealed = spoil(await vault.seal(secret, 'key_1'));
  await expect(vault.open(sealed, 'key_1')).rejects.toThrow(unreadable);
});

test('what somebody sealed under a key that is not here is refused, whatever they name it and whatever the key', async () => {
  const vault = createJweVault([OLD]);
  const { kid } = decodeProtectedHeader(await vault.seal(secret, 'key_1'));
  const keys = [keyOf(''), keyOf('undefined'), Buffer.alloc(32), keyOf(NEW)];
  for (const key of keys) {
    for (const name of [kid, 'nobody', '', '__proto__', undefined]) {
      const forged = await new CompactEncrypt(Buffer.from('mine'))
        .setProtectedHeader({
          alg: 'dir',
          enc: 'A256GCM',
          sub: 'key_1',
          ...(name !== undefined && { kid: name }),
        })
        .encrypt(key);
      await expect(vault.open(forged, 'key_1')).rejects.toThrow(unreadable);
    }
  }
});

test('no other algorithm is taken, though the key would fit', async () => {
  const vault = createJweVault([OLD]);
  const { kid } = decodeProtectedHeader(await vault.seal(secret, 'key_1'));
  const wrapped = await new CompactEncrypt(secret)
    .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', sub: 'key_1', kid: kid! })
    .encrypt(keyOf(OLD));
  await expect(vault.open(wrapped, 'key_1')).rejects.toThrow(unreadable);
});
