import { createHash } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { createJweVault } from '../../src/secrets/vault.ts';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const secret = Buffer.from('a secret, with é and \0 in it');
const unreadable = 'cannot be read with this master key';
const deriveKey = (text: string) => createHash('sha256').update(`signalbox master key\n${text}`).digest();

test('opens a sealed secret for its owner, byte for byte', async () => {
  const vault = createJweVault([OLD]);
  for (const plain of [secret, Buffer.alloc(0), Buffer.alloc(1024, 255)]) {
    const opened = await vault.open(await vault.seal(plain, 'key_1'), 'key_1');
    expect(Buffer.from(opened).equals(plain)).toBe(true);
  }
});

test('seals to a JWE that shows neither the secret nor the master key, and never to the same text twice', async () => {
  const vault = createJweVault([OLD]);
  const [one, other] = [await vault.seal(secret, 'key_1'), await vault.seal(secret, 'key_1')];
  expect(one).not.toBe(other);
  const { kid, ...header } = decodeProtectedHeader(one);
  expect(header).toEqual({ alg: 'dir', enc: 'A256GCM', sub: 'key_1' });
  expect(deriveKey(OLD).toString('base64url')).not.toContain(kid);
  const segments = one.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  for (const segment of segments) expect(segment).not.toContain('a secret');
});

test('refuses to open a sealed secret for another owner', async () => {
  const vault = createJweVault([OLD]);
  const sealed = await vault.seal(secret, 'key_1');
  for (const owner of ['key_2', 'key_', 'KEY_1', ''])
    await expect(vault.open(sealed, owner)).rejects.toThrow(unreadable);
  // The owner cannot be rewritten: the header is authenticated.
  const [header = '', ...rest] = sealed.split('.');
  const renamed = Buffer.from(header, 'base64url').toString().replace('key_1', 'key_2');
  const forged = [Buffer.from(renamed).toString('base64url'), ...rest].join('.');
  await expect(vault.open(forged, 'key_2')).rejects.toThrow(unreadable);
});

test('seals with the first master key and opens with all of them', async () => {
  const [before, between, after] = [createJweVault([OLD]), createJweVault([NEW, OLD]), createJweVault([NEW])];
  const [underOld, underNew] = [await before.seal(secret, 'key_1'), await between.seal(secret, 'key_1')];
  for (const sealed of [underOld, underNew])
    expect(Buffer.from(await between.open(sealed, 'key_1')).equals(secret)).toBe(true);
  expect(Buffer.from(await after.open(underNew, 'key_1')).equals(secret)).toBe(true);
  await expect(after.open(underOld, 'key_1')).rejects.toThrow(unreadable);
  await expect(before.open(underNew, 'key_1')).rejects.toThrow(unreadable);
});

test.each([
  ['an empty text', () => ''],
  ['a text that is not a JWE', () => 'plain text'],
  ['a truncated JWE', (sealed: string) => sealed.slice(0, -2)],
  [
    'a JWE with a changed tag',
    (sealed: string) =>
      sealed.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`),
  ],
])('refuses to open %s', async (_, corrupt) => {
  const vault = createJweVault([OLD]);
  const sealed = corrupt(await vault.seal(secret, 'key_1'));
  await expect(vault.open(sealed, 'key_1')).rejects.toThrow(unreadable);
});

test('refuses a JWE that is encrypted under a foreign key under any kid', async () => {
  const vault = createJweVault([OLD]);
  const { kid } = decodeProtectedHeader(await vault.seal(secret, 'key_1'));
  const keys = [deriveKey(''), deriveKey('undefined'), Buffer.alloc(32), deriveKey(NEW)];
  for (const key of keys) {
    for (const forgedKid of [kid, 'nobody', '', '__proto__', undefined]) {
      const forged = await new CompactEncrypt(Buffer.from('mine'))
        .setProtectedHeader({
          alg: 'dir',
          enc: 'A256GCM',
          sub: 'key_1',
          ...(forgedKid !== undefined && { kid: forgedKid }),
        })
        .encrypt(key);
      await expect(vault.open(forged, 'key_1')).rejects.toThrow(unreadable);
    }
  }
});

test('refuses a JWE with another algorithm, even under the right master key', async () => {
  const vault = createJweVault([OLD]);
  const { kid } = decodeProtectedHeader(await vault.seal(secret, 'key_1'));
  const wrapped = await new CompactEncrypt(secret)
    .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', sub: 'key_1', kid: kid! })
    .encrypt(deriveKey(OLD));
  await expect(vault.open(wrapped, 'key_1')).rejects.toThrow(unreadable);
});
